"""Flags that the rules decide alone: the answers of forms.

An answer is read by its place beside its label, not by its words. There the network errs more
often than the rules, and with confidence.
"""

from __future__ import annotations

from spacy.tokens import Doc

from clinical_nlp.pipeline.document_layout import AFFIRMED, NEGATED, get_layout
from clinical_nlp.records import FLAGS, Finding

_NEGATED = frozenset({FLAGS.index("negated")})


class FixedFlags:
    """Looks up which flags of a finding stay as the rules set them."""

    def __init__(self, doc: Doc) -> None:
        self._layout = get_layout(doc)

    def of(self, finding: Finding) -> frozenset[int]:
        """Places in ``FLAGS`` of the flags that stay."""
        item = self._layout.item_at(finding.start) if self._layout.items else None
        answered = item is not None and item.verdict in (AFFIRMED, NEGATED)
        return _NEGATED if answered else frozenset()
