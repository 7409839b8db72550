"""The encoder engine and the networks that run on it."""
