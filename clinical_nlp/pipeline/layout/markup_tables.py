"""Tables of tags left in a note that says it is plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinical_nlp.pipeline.document_layout import Span
from clinical_nlp.pipeline.layout.tables import Block

_TABLE = re.compile(r"<table\b[^<>]*>(.*?)</table\s*>", re.IGNORECASE | re.DOTALL)
_ROW = re.compile(r"<tr\b[^<>]*>(.*?)(?=</tr\s*>|<tr\b|\Z)", re.IGNORECASE | re.DOTALL)
_CELL = re.compile(r"<t[dh]\b[^<>]*>(.*?)(?=</t[dh]\s*>|<t[dh]\b|\Z)", re.IGNORECASE | re.DOTALL)
_INSIDE = re.compile(r"(?:<[^<>]*>|&nbsp;|\s)*")


def markup_blocks(text: str) -> Iterator[Block]:
    """Yield the tables written as ``<table>``, ``<tr>`` and ``<td>``, with the cells' places."""
    if "<" not in text or "<t" not in text.lower():
        return
    for table in _TABLE.finditer(text):
        rows = [
            [_content(text, *cell.span(1)) for cell in _CELL.finditer(text, *row.span(1))]
            for row in _ROW.finditer(text, *table.span(1))
        ]
        rows = [row for row in rows if row]
        if rows and max(map(len, rows)) > 1:
            width = max(map(len, rows))
            yield Block([], [tuple([*row, *[None] * (width - len(row))]) for row in rows], False)


def _content(text: str, start: int, end: int) -> Span | None:
    """Return the place of a cell's words, without tags and blanks around them."""
    opening = _INSIDE.match(text, start, end)
    start = opening.end() if opening else start
    closing = re.search(r"(?:<[^<>]*>|&nbsp;|\s)+\Z", text[start:end])
    end = start + closing.start() if closing else end
    return (start, end) if start < end else None
