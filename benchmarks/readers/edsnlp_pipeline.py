"""EDS-NLP's rule pipeline with the catalogue's forms: ``edsnlp_pipeline.py [normalise]``.

Sentences, the matcher and its four qualifiers (negation, hypothesis, family, history), as
its documentation combines them; with ``normalise``, its normaliser first and the matcher on
the normalised text. Its rules are for French: what they flag is no matter here, only what
applying them costs.
"""

import sys

import edsnlp
import edsnlp.pipes as eds
from loguru import logger
from timing import given, report

logger.remove()
wanted = given()
normalise = "normalise" in sys.argv[1:]
terms: dict[str, list[str]] = {}
for concept, form in wanted["forms"]:
    terms.setdefault(concept, []).append(form)
nlp = edsnlp.blank("eds")
if normalise:
    nlp.add_pipe(eds.normalizer())
nlp.add_pipe(eds.sentences())
nlp.add_pipe(eds.matcher(terms=terms, attr="NORM" if normalise else "LOWER"))
for qualifier in (eds.negation, eds.hypothesis, eds.family, eds.history):
    nlp.add_pipe(qualifier())


def find(text: str) -> int:
    """Entities of a note."""
    return len(nlp(text).ents)


report(find, wanted["texts"])
