"""What the training loops of torch models share."""
