"""The command line: composes everything, decides nothing."""

from clinical_nlp.cli.app import main

__all__ = ["main"]
