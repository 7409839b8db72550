"""Sentences: ``es_sentences`` sets ``token.is_sent_start`` on every token."""

from spacy.language import Language

from clinical_nlp.artifacts import read_toml
from clinical_nlp.pipeline.sentences.sentences import SentenceSplitter

__all__ = ["SentenceSplitter", "create_sentences"]


@Language.factory("es_sentences", assigns=["token.is_sent_start", "doc.sents"])
def create_sentences(nlp: Language, name: str) -> SentenceSplitter:
    """Build ``es_sentences`` with the package's own rules."""
    return SentenceSplitter(read_toml(__name__, "sentences.toml"))
