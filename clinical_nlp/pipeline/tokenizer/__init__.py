"""Tokens of clinical Spanish: offsets true to the note, norms free of its accidents."""

from clinical_nlp.pipeline.tokenizer.tokenizer import ClinicalTokenizer

__all__ = ["ClinicalTokenizer"]
