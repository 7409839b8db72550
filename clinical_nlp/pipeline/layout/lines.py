"""The lines of a note and the cells of a line, as offsets of the text."""

from __future__ import annotations

import re
from typing import NamedTuple

from clinical_nlp.pipeline.document_layout import Span

_SPACE = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u3000]+")


class Line(NamedTuple):
    """A line: its text without the line break, and where it starts in the note."""

    start: int
    text: str

    @property
    def end(self) -> int:
        """Offset after the last code point."""
        return self.start + len(self.text)

    @property
    def blank(self) -> bool:
        """Whether there is nothing on it."""
        return not self.text or self.text.isspace()

    def span(self, start: int, end: int) -> Span | None:
        """Return the offsets in the note of a stretch of the line, blanks around left out."""
        piece = self.text[start:end]
        stripped = piece.strip()
        if not stripped:
            return None
        left = self.start + start + len(piece) - len(piece.lstrip())
        return left, left + len(stripped)


def lines_of(text: str) -> list[Line]:
    """Split a note at its line breaks, whatever sign they are."""
    lines: list[Line] = []
    start = 0
    for line in text.splitlines(keepends=True):
        lines.append(Line(start, line.rstrip("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")))
        start += len(line)
    return lines


def cells_of(line: Line, separator: re.Pattern[str]) -> list[tuple[int, int]]:
    """Split a line at a separator; offsets in the line of each cell, blanks around left out.

    Cells without text are left out where the line begins or ends with the separator.
    """
    text = line.text
    cells: list[tuple[int, int]] = []
    start = 0
    for match in separator.finditer(text):
        cells.append((start, match.start()))
        start = match.end()
    cells.append((start, len(text)))
    return [_trim(text, *cell) for cell in cells]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return end, end
    left = start + len(piece) - len(piece.lstrip())
    return left, left + len(stripped)
