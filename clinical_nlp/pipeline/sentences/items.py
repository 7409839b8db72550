"""Sentence starts at the items of a note's layout: each answered label is a statement."""

from __future__ import annotations

import re
from bisect import bisect_left

from spacy.tokens import Doc

from clinical_nlp.pipeline.document_layout import Item, Span, get_layout
from clinical_nlp.pipeline.rules import text_of

# Signs before a label that belong to it: a bullet, an opening bracket or question mark.
_SIGNS = re.compile(r"[-–—*•▪■●○◦►‣>+¿¡(\[\"«]*[^\S\n]*$")
# After an item a new statement begins behind a wide blank or a sign that parts items.
_PARTED = re.compile(
    r"[^\S\n]*(?:[|;·▸→\t(«]|//|->|,[^\S\n]|[^\S\n]{2,}|[.,]?[^\S\n]*\n)\s*(?=\w|[¿\[(+-])"
)
_LONGEST_SIGNS = 8


def item_starts(doc: Doc) -> list[int]:
    """Return the tokens at which items begin, and those behind the items."""
    items = get_layout(doc).items
    if not items:
        return []
    text, length = text_of(doc), len(doc)
    places: list[int] = doc.to_array("IDX").tolist()
    starts: list[int] = []
    for item in items:
        for begin, end in _statements(text, item):
            signs = _SIGNS.search(text, max(0, begin - _LONGEST_SIGNS), begin)
            starts.append(bisect_left(places, signs.start() if signs else begin))
            parted = _PARTED.match(text, end)
            if parted is not None:
                starts.append(bisect_left(places, parted.end()))
    return [start for start in starts if start < length]


def _statements(text: str, item: Item) -> list[Span]:
    """Return the stretches that an item makes statements of: label and answer, if apart."""
    begin, end = item.extent
    if item.answer is None or text.find("\n", begin, end) < 0:
        return [(begin, end)]
    if begin == item.label[0]:
        return [item.label, item.answer]
    return [item.label]  # an item of a list under its answer
