"""Trains the tagger of mentions on annotated documents."""
