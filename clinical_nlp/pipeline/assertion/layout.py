"""Answers of a form: they decide over the cues in their label.

'Disnea: [ ] Sí [x] No' says that there is none, whatever stands around it. What the label
itself says of the past or of relatives stays: 'Infarto previo: sí'.
"""

from __future__ import annotations

from dataclasses import replace

from clinical_nlp.pipeline import document_layout as layout
from clinical_nlp.pipeline.assertion.assertion import Assertion
from clinical_nlp.pipeline.document_layout import Item

_FAMILY_MEMBER = "FAMMEMB"


def answered(assertion: Assertion, item: Item, *, drug: bool = False) -> Assertion:
    """Return the assertion of a target in an item's label, with the item's answer.

    A drug in an earlier row or column is not over for that: it may be taken still.
    """
    said = _VERDICTS.get(item.verdict)
    if said is not None:
        keep = item.verdict != layout.NEGATED
        assertion = replace(
            said,
            historical=said.historical or (keep and assertion.historical),
            family=keep and assertion.family,
            relation=assertion.relation if keep else None,
        )
    if item.past and not (drug and item.verdict == layout.FREE):
        assertion = replace(assertion, historical=True)
    if item.relative:
        assertion = replace(assertion, family=True, relation=assertion.relation or _FAMILY_MEMBER)
    return assertion


_VERDICTS = {
    layout.AFFIRMED: Assertion(),
    layout.NEGATED: Assertion(negated=True),
    layout.UNCERTAIN: Assertion(uncertain=True),
    layout.HISTORICAL: Assertion(historical=True),
    layout.HYPOTHETICAL: Assertion(hypothetical=True),
}
