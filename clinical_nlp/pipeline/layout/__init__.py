"""Layout: forms, lists and tables of a note, read before its sentences."""

from spacy.language import Language

from clinical_nlp.artifacts import read_toml
from clinical_nlp.pipeline.layout.component import LayoutReader

__all__ = ["LayoutReader", "create_layout"]


@Language.factory("es_layout", assigns=["doc._.layout"])
def create_layout(nlp: Language, name: str) -> LayoutReader:
    """Build ``es_layout`` with the package's own rules."""
    return LayoutReader(read_toml(__name__, "layout.toml"))
