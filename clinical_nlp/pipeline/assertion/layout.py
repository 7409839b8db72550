"""Answers of a form: they decide over the cues in their label.

'Disnea: [ ] Sí [x] No' says that there is none, whatever stands around it. What the label
itself says of the past or of relatives stays: 'Infarto previo: sí'.
"""

from __future__ import annotations

import re
from dataclasses import replace

from clinical_nlp.pipeline import document_layout as layout
from clinical_nlp.pipeline.assertion.assertion import AFFIRMED, Assertion
from clinical_nlp.pipeline.document_layout import Item

_TIME = r"(?:(?:\d{1,2}[/-]){0,2}(?:19|20)\d\d(?!\d)|hace\s\d{1,2}\s(?:años|meses))"
_DATE = re.compile(rf"(?<!\d){_TIME}", re.IGNORECASE)
_BEHIND = re.compile(rf"\s{{0,3}}[,;(–-]?\s?(?:en\s)?(?:el\saño\s)?{_TIME}", re.IGNORECASE)
_LEAST_WORDING = 15  # code points
_FAMILY_MEMBER = "FAMMEMB"


def answered(assertion: Assertion, item: Item, *, length: int = 0, drug: bool = False) -> Assertion:
    """Return the assertion of a target in an item's label, with the item's answer.

    Parameters
    ----------
    assertion
        What the cues around say.
    item
        The item.
    length
        Code points of the target. A label with more words than it says something of its own:
        '[x] Conoce los signos de alarma: disnea'.
    drug
        Whether it is a drug: one in an earlier row or column is not over, it may be taken still.
    """
    said = _VERDICTS.get(item.verdict)
    if said is not None and (assertion == AFFIRMED or item.verdict == layout.NEGATED):
        assertion = said
    elif said is not None:
        worded = item.label[1] - item.label[0] - length > _LEAST_WORDING
        assertion = replace(
            said,
            historical=said.historical or assertion.historical,
            hypothetical=said.hypothetical or (worded and assertion.hypothetical),
            family=assertion.family,
            relation=assertion.relation,
        )
    if item.past and not (drug and item.verdict == layout.FREE):
        assertion = replace(assertion, historical=True)
    if item.relative:
        assertion = replace(assertion, family=True, relation=assertion.relation or _FAMILY_MEMBER)
    return assertion


def is_pending(item: Item) -> bool:
    """Whether an answer puts its label off: a sign still to be examined was not looked for."""
    after = item.answer is not None and item.answer[0] >= item.label[1]
    return after and item.verdict == layout.HYPOTHETICAL


def is_dated(text: str, item: Item) -> bool:
    """Whether an answer that grants its label names a time of the past: '■ Sí (2017) □ No'."""
    if item.verdict != layout.AFFIRMED or item.answer is None:
        return False
    start, end = item.answer
    return _DATE.search(text, start, end) is not None or _BEHIND.match(text, end) is not None


_VERDICTS = {
    layout.AFFIRMED: Assertion(),
    layout.NEGATED: Assertion(negated=True),
    layout.UNCERTAIN: Assertion(uncertain=True),
    layout.HISTORICAL: Assertion(historical=True),
    layout.HYPOTHETICAL: Assertion(hypothetical=True),
}
