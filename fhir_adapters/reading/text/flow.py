"""Running text under way: line breaks wait until the next text shows how many are needed."""

from __future__ import annotations

import re
from enum import Enum

#: Line breaks that make an empty line; more are not kept.
_MOST_BREAKS = 2
#: What opens a line of a list where a word processor wrote the bullet as a letter: typographic
#: bullets, and the letters that Word's symbol fonts show as one ("o", "§"), set far apart.
_BULLET = re.compile(
    r"^[ \t\xa0]*(?:[•·▪◦‣●○■➢❖\uf0b7\uf0a7\uf0d8][ \t\xa0]*(?=\S)|[o§Øüv][ \xa0]{2,}(?=\S)"
    r"|[o§Øü]\t[ \t\xa0]*(?=\S))",
    re.MULTILINE,
)
_BULLET_HINT = re.compile(r"[•·▪◦‣●○■➢❖\uf0b7\uf0a7\uf0d8§Øü]|^[ov][ \t\xa0]", re.MULTILINE)


class Due(Enum):
    """What the next text has to be set apart by, besides line breaks."""

    NOTHING = ""
    LABEL = ": "  # between a term and its answer
    ANSWER = "; "  # between two answers of one term


class Flow:
    """The text of a page, or of one cell of a table.

    Attributes
    ----------
    due
        Separator that takes the place of a line break before the next text.
    """

    __slots__ = ("_boxes", "_breaks", "_item", "_line", "_pieces", "due")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._breaks = 0
        self._item = False  # the next text opens an item of a list
        self._line = 0  # the piece that the current line begins with
        self._boxes: list[tuple[int, str]] = []  # the line's checkboxes: piece, mark
        self.due = Due.NOTHING

    @property
    def text(self) -> str:
        """The text so far, without white space at either end."""
        self._end_line()
        text = "".join(self._pieces).strip()
        return _BULLET.sub("- ", text) if _BULLET_HINT.search(text) else text

    def __len__(self) -> int:
        """Number of pieces so far: a place to which ``box`` can refer."""
        return len(self._pieces)

    def block(self, breaks: int = 1) -> None:
        """Request that the next text begins a line; several requests are one."""
        if not self._item and self.due is Due.NOTHING:
            self._breaks = max(self._breaks, breaks)

    def line_break(self, breaks: int = 1) -> None:
        """Request further line breaks."""
        if not self._item and self.due is Due.NOTHING:
            self._breaks += breaks

    def item(self) -> None:
        """Begin an item of a list: a line that opens with "- ", without an empty line before."""
        self._item, self._breaks = True, 1

    def end_label(self) -> None:
        """Write the colon of a term that has no answer."""
        if self.due is Due.LABEL:
            self._pieces.append(self._colon().rstrip())
        self.due = Due.NOTHING

    def write(self, text: str, *, exact: bool = False) -> None:
        """Append text; ``exact`` keeps runs of spaces."""
        if self._breaks or self._item or self.due is not Due.NOTHING or not self._pieces:
            if not text.strip():
                return
            if not exact:
                text = text.lstrip(" ")
            self._settle()
        elif not exact and text.startswith(" ") and self._pieces[-1].endswith((" ", "\t")):
            text = text[1:]
        if text:
            self._pieces.append(text)

    def box(self, checked: bool, label: int | None = None) -> None:
        """Write a checkbox; before its label, where that began at piece ``label``."""
        mark = "[x] " if checked else "[ ] "
        if label is not None:
            for place in range(label, min(label + 4, len(self._pieces))):
                if self._pieces[place].strip(" \n-"):
                    before = self._pieces[place - 1] if place else "\n"
                    apart = "" if before.endswith((" ", "\t", "\n")) else " "
                    self._pieces[place] = apart + mark + self._pieces[place].lstrip(" ")
                    return
        if not self._breaks and self._pieces and not self._pieces[-1].endswith((" ", "\t", "\n")):
            self.write(" ")
        self.write(mark)
        self._boxes.append((len(self._pieces) - 1, mark))

    def take_line(self) -> Flow:
        """Remove the line under way and return it as a flow of its own."""
        taken = Flow()
        if not self._breaks:
            taken._pieces = self._pieces[self._line :]
            del self._pieces[self._line :]
            self._boxes.clear()
            if self._pieces:
                self._breaks = self._pieces.pop().count("\n")
        return taken

    def _settle(self) -> None:
        """Write the line breaks, the bullet or the separator that are due."""
        self._trim()
        if self.due is not Due.NOTHING and self._pieces:
            separator = self._colon() if self.due is Due.LABEL else Due.ANSWER.value
            self._pieces.append(separator.rstrip() if self._item else separator)
            if not self._item:
                self._breaks = 0
        if self._pieces and (breaks := min(self._breaks, _MOST_BREAKS)):
            self._end_line()
            self._pieces.append("\n" * breaks)
            self._line = len(self._pieces)
        if self._item:
            self._pieces.append("- ")
        self._breaks, self._item, self.due = 0, False, Due.NOTHING

    def _colon(self) -> str:
        last = next((piece for piece in reversed(self._pieces[-3:]) if piece.strip()), "")
        return " " if last.rstrip().endswith((":", "?")) else Due.LABEL.value

    def _trim(self) -> None:
        while self._pieces and not (trimmed := self._pieces[-1].rstrip(" ")):
            self._pieces.pop()
        if self._pieces:
            self._pieces[-1] = trimmed

    def _end_line(self) -> None:
        """Set the only checkbox of a line before its label, where it stands behind it."""
        if len(self._boxes) == 1:
            place, mark = self._boxes[0]
            label = "".join(self._pieces[self._line : place])
            alone = not "".join(self._pieces[place + 1 :]).strip()
            if alone and label.strip(" -") and not label.rstrip().endswith((":", "?")):
                first = self._line + self._pieces[self._line].startswith("- ")
                del self._pieces[place:]
                self._pieces[first] = mark + self._pieces[first].lstrip(" ")
                self._trim()
        self._boxes.clear()
