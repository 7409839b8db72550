"""Tokens of clinical Spanish: offsets true to the note, norms free of its accidents."""

from clinical_nlp.pipeline.tokenizer.tokenizer import ClinicalTokenizer, normalise_word

__all__ = ["ClinicalTokenizer", "normalise_word"]
