"""A note as the readers of its layout share it: lines, answers, and what is found."""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect_left
from dataclasses import dataclass, field

from clinical_nlp.pipeline.document_layout import AFFIRMED, FREE, NEGATED, UNKNOWN, Item, Span
from clinical_nlp.pipeline.layout.answers import Answers
from clinical_nlp.pipeline.layout.lines import Line

_BEFORE = re.compile(
    r"[\s,;/|·.:\-–—*•▪■●○◦►‣>¿¡\"«)\]]*(?:\d{1,2}[a-z]?\s?[.)º-]+\s*|\[[A-Z]?\d{2,6}\]\s*)?[\s¿¡\"«*]*"
)
_AFTER = re.compile(r"[\s:?=.·_…\-–—→▸>\"»*|(\[]*$")
_LETTERS = re.compile(r"[^\W\d_]")
_RELATIVES = re.compile(r"[^:]{0,40}\bfamiliares\b[^:]{0,40}:", re.IGNORECASE)
#: What 'Sin edemas' says where it is granted or denied; unchecked it says nothing.
_DENIED = {AFFIRMED: NEGATED, NEGATED: UNKNOWN}
_LONGEST = 110  # code points of a label
_MOST_WORDS = 16


@dataclass
class Page:
    """Lines of a note, and the items found so far.

    Parameters
    ----------
    text
        The note.
    lines
        Its lines.
    answers
        Reader of answers.
    relatives
        Pattern of words in a label that say that it asks about relatives.
    denials
        Pattern of words that open a label that denies by itself.
    """

    text: str
    lines: list[Line]
    answers: Answers
    relatives: re.Pattern[str]
    denials: re.Pattern[str]
    items: list[Item] = field(default_factory=list)
    #: Stretches about an earlier day: the rows of a diary before its last one.
    past: list[Span] = field(default_factory=list)
    #: Where the lines of tables start.
    tabled: set[int] = field(default_factory=set)
    _taken: dict[int, list[Span]] = field(default_factory=dict)

    def label(self, line: Line, start: int, end: int) -> Span | None:
        """Return a stretch of a line as a label, the signs around left out.

        ``None`` where it has no letters or is too long for one.
        """
        if end - start > 2 * _LONGEST:
            return None
        before = _BEFORE.match(line.text, start, end)
        start = before.end() if before else start
        after = _AFTER.search(line.text[start:end])
        end = start + after.start() if after else end
        label = line.text[start:end]
        if len(label) > _LONGEST or not _LETTERS.search(label):
            return None
        if len(label.split()) > _MOST_WORDS:
            return None
        return line.start + start, line.start + end

    def add(
        self,
        label: Span | None,
        answer: Span | None,
        verdict: str,
        *,
        relative: bool = False,
        replace: bool = False,
    ) -> bool:
        """Add an item unless its label is one already; say whether it was added.

        ``replace`` takes the place of an item with the same label.
        """
        if label is None:
            return False
        if verdict != NEGATED:  # 'Familia con muerte súbita: no' is no one's
            relative = relative or self.relatives.search(self.text, *label) is not None
            relative = relative or self._of_relatives(label[0])
        if replace:
            at = len(self.items) - 1
            while at >= 0 and self.items[at].label[0] >= label[0]:
                if self.items[at].label == label:
                    del self.items[at]
                at -= 1
            self.items.append(Item(label, answer, verdict, relative=relative))
            return True
        verdict = _DENIED.get(verdict, verdict) if self._denies(label) else verdict
        key = label[0] // _BUCKET
        for near in range(key - 1, label[1] // _BUCKET + 1):
            for start, end in self._taken.get(near, ()):
                if start < label[1] and label[0] < end:
                    return False
        for bucket in range(key, (label[1] - 1) // _BUCKET + 1):
            self._taken.setdefault(bucket, []).append(label)
        self.items.append(Item(label, answer, verdict, relative=relative))
        return True

    def _of_relatives(self, place: int) -> bool:
        """Whether a line opens with a heading about relatives: 'Familiares con: infarto [x]'."""
        opening = max(0, place - _LONGEST)
        before = self.text[max(self.text.rfind("\n", opening, place) + 1, opening) : place]
        return before.count(":") == 1 and _RELATIVES.match(before) is not None

    def _denies(self, label: Span) -> bool:
        """Whether a label denies by itself: 'Sin edemas'."""
        return self.denials.match(self.text, *label) is not None

    def is_taken(self, start: int, end: int) -> bool:
        """Whether a label of an item stands in a stretch of the note."""
        return any(
            first < end and start < last
            for bucket in range(start // _BUCKET, (end - 1) // _BUCKET + 1)
            for first, last in self._taken.get(bucket, ())
        )

    def in_table(self, line: Line) -> bool:
        """Whether a line is a row of a table."""
        return line.start in self.tabled

    def trimmed(self, span: Span) -> Span:
        """Return a cell without the signs around its words."""
        line = Line(span[0], self.text[span[0] : span[1]])
        return self.label(line, 0, len(line.text)) or span

    def all_items(self) -> list[Item]:
        """Return the items in order of their labels; what is about an earlier day is past.

        Words of an earlier day that are no item's become one without an answer.
        """
        found = sorted(self.items, key=lambda item: item.label)
        starts = [item.label[0] for item in found]
        for start, end in sorted(self.past):
            place = start
            for number in range(bisect_left(starts, start), bisect_left(starts, end)):
                item = found[number]
                found[number] = dataclasses.replace(item, past=True)
                self._rest(found, place, item.label[0])
                place = item.label[1]
            self._rest(found, place, end)
        return sorted(found, key=lambda item: item.label)

    def _rest(self, items: list[Item], start: int, end: int) -> None:
        if _LETTERS.search(self.text, start, end):
            items.append(Item((start, end), None, FREE, past=True))


_BUCKET = 256
