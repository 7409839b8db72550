"""The spaCy pipeline: one folder a component, its rules as data beside it."""
