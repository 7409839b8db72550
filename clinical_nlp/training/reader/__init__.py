"""Training of the learned reader."""
