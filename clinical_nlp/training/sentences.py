"""Words and sentences of texts to train on, as the pipeline finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language


def load_sentence_pipeline() -> Language:
    """Return the pipeline with its tokenizer and sentences alone."""
    import clinical_nlp

    nlp = clinical_nlp.load(reader=False)
    nlp.select_pipes(enable=["es_sentences"])
    return nlp
