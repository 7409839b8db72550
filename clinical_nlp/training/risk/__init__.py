"""Training and validation of the risk model."""
