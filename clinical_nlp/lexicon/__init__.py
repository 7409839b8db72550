"""The medical knowledge: concepts, terms, gates and codes, as commented data files."""

from clinical_nlp.lexicon.lexicon import Lexicon, load_lexicon
from clinical_nlp.lexicon.loader import LANGUAGES, Term

__all__ = ["LANGUAGES", "Lexicon", "Term", "load_lexicon"]
