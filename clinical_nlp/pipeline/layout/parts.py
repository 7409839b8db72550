"""The parts of a line, between signs that part items."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PARTS = re.compile(
    r"(?P<column>[|\t▸→]|;(?=\S)|(?<=\S)\s{2,}(?=\S))|;|·|//|•|\s/\s(?=[^\W\d_])|(?<![.])[.]\s+(?=\S)|,\s+(?=\S)"
    r"|(?<=[?!])\s+(?=¿)"
)
#: What may follow an answer in its part, and what a label in a part follows.
TAIL = re.compile(r"\s*(?:[.,;:]|=\s*\d+|[(«\"][^()]*[)»\"]?\s*)?$")
OPENS = re.compile(r":\s|\.{3,}\s|…\s")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a line between signs that part items.

    Parameters
    ----------
    start, end
        Offsets in the line.
    column
        Whether a sign of columns (bar, tab, wide blank) stands before it.
    """

    start: int
    end: int
    column: bool


def parts_of(text: str) -> list[Part]:
    """Split a line at the signs that part items."""
    parts: list[Part] = []
    start, column = 0, False
    for sign in _PARTS.finditer(text):
        end = start + len(text[start : sign.start()].rstrip())
        if end > start:
            parts.append(Part(start, end, column))
        start = sign.end()
        column = sign["column"] is not None
    end = start + len(text[start:].rstrip())
    if end > start:
        parts.append(Part(start, end, column))
    return parts
