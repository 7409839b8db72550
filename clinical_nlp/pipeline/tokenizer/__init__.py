"""Tokens of clinical Spanish: exact offsets, normalised norms."""

from clinical_nlp.pipeline.tokenizer.tokenizer import ClinicalTokenizer

__all__ = ["ClinicalTokenizer"]
