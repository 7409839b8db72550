"""What is kept from night to night, so that only what changed is read and estimated again."""
