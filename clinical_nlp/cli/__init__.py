"""The command line: composes everything, decides nothing."""
