"""medSpaCy's own pipeline, as its documentation builds it, with the catalogue's forms."""

import medspacy
from loguru import logger
from medspacy.ner import TargetRule
from timing import given, report

logger.remove()  # PyRuSH logs every token of the note
wanted = given()
nlp = medspacy.load(
    medspacy_enable=[
        "medspacy_tokenizer",
        "medspacy_pyrush",
        "medspacy_target_matcher",
        "medspacy_context",
        "medspacy_sectionizer",
    ]
)
nlp.get_pipe("medspacy_target_matcher").add(
    [TargetRule(literal=form, category=concept) for concept, form in wanted["forms"]]
)


def find(text: str) -> int:
    """Entities of a note."""
    return len(nlp(text).ents)


report(find, wanted["texts"])
