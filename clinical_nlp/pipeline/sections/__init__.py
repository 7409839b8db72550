"""Sections: ``es_sections`` sets ``doc.spans["sections"]`` and ``doc.spans["headings"]``."""

from spacy.language import Language

from clinical_nlp.artifacts import read_toml
from clinical_nlp.pipeline.sections.sections import Sectionizer

__all__ = ["Sectionizer", "create_sections"]


@Language.factory("es_sections", requires=["token.is_sent_start"])
def create_sections(nlp: Language, name: str) -> Sectionizer:
    """Build ``es_sections`` with the package's own headings."""
    return Sectionizer(read_toml(__name__, "sections.toml"))
