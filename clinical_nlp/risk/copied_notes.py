"""Decides whether a note as a whole is a copy of an earlier one, by hashes of its sentences.

Compared are words in lower case: spaces, line breaks and punctuation do not count, nor do
lines of date and time before the first finding and after the last, which systems put at the
top and the foot of a copied text.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import Counter

#: A sentence ends at a stop, a blank line or a list item. A single line break may be a
#: wrapped line.
_BREAK = re.compile(r"\n\s*\n|[\n\r]\s*[-*•·]|[.;](?=\s|$)|:\s*[\n\r]")
_WORD = re.compile(r"\w+")

#: Share of the shorter of two notes that both must hold ("most of it"). The rest may be
#: today's additions, or what was cut from the copy.
COPIED_SHARE = 0.7

#: Letters that two different notes must share at least: a stock phrase alone is no copy.
MIN_SHARED = 40

_MONTHS = "ene|feb|mar|abr|may|jun|jul|ago|sep|set|oct|nov|dic"
_DATE = re.compile(
    rf"\b(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d\d)|\d{{4}}-\d\d-\d\d"
    rf"|\d{{1,2}}\s*(?:de\s+)?(?:{_MONTHS})[a-z]*\.?\s*(?:de[l]?\s+)?\d{{4}})\b",
    re.IGNORECASE,
)
#: A line of date and time: a date and a few words ("Fecha de la visita: …, 10:15, Dra. Gil").
_MOST_WORDS = 6
#: A date that opens a line of text: "12/03/2024 10:15: Acude por ...".
_OPENING = re.compile(r"\W*(?:fecha\W+)?(?:\d{1,2}[:.]\d\d(?::\d\d)?\s*h?\b\W*)?", re.IGNORECASE)
_TIME = re.compile(r"\W*(?:a las\s+)?(?:\d{1,2}[:.]\d\d(?::\d\d)?\s*h?\b)?\W*", re.IGNORECASE)


class NoteText:
    """A note as hashes of its sentences.

    Parameters
    ----------
    text
        The note's text; not kept.
    first, last
        Where its first and its last finding begin.
    """

    def __init__(self, text: str, first: int, last: int) -> None:
        begin, end = _without_dates(text, first, last)
        self._starts: list[int] = []
        self._order: list[bytes] = []
        self.sentences: dict[bytes, int] = {}  # letters of each
        at = begin
        while at < end:
            stop = _BREAK.search(text, at, end)
            close, after = (stop.start(), stop.end()) if stop else (end, end)
            words = _WORD.findall(text, at, close)
            if words:
                joined = " ".join(words).casefold()
                sentence = _digest(joined)
                self._starts.append(at)
                self._order.append(sentence)
                self.sentences[sentence] = len(joined) - len(words) + 1
            at = after
        self.letters = sum(self.sentences.values())

    def sentence_at(self, place: int) -> bytes | None:
        """Hash of the sentence that holds a place of the text."""
        number = bisect_right(self._starts, place) - 1
        return self._order[number] if number >= 0 else None


class CopiedNotes:
    """Finds the earlier notes of one patient that a note was copied from.

    Cost and memory are linear in the length of the notes: for each sentence only the first and
    the last note that hold it are candidates. What is copied on and on is in the last one.
    """

    def __init__(self) -> None:
        self._letters: list[int] = []  # of each note
        self._holders: dict[bytes, tuple[int, int]] = {}  # first and last note with a sentence

    def sources_of(self, note: NoteText) -> list[int]:
        """Numbers of the earlier notes that a note shares most of its or their text with."""
        shared: Counter[int] = Counter()
        for sentence, letters in note.sentences.items():
            for number in set(self._holders.get(sentence, ())):
                shared[number] += letters
        return sorted(
            number
            for number, letters in shared.items()
            if letters >= COPIED_SHARE * min(note.letters, self._letters[number])
            and (letters >= MIN_SHARED or letters == note.letters == self._letters[number])
        )

    def remember(self, note: NoteText) -> None:
        """Add a note; its number is how many were added before."""
        number = len(self._letters)
        self._letters.append(note.letters)
        for sentence in note.sentences:
            first, _ = self._holders.get(sentence, (number, number))
            self._holders[sentence] = (first, number)


def digest_of(words: list[str]) -> bytes:
    """Hash of some words, whatever stood between them."""
    return _digest(" ".join(words))


def _digest(joined: str) -> bytes:
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def word_spans(text: str, start: int, end: int, reach: int) -> tuple[list[str], list[int]]:
    """Words of the sentence around a span, and the numbers of those inside it.

    Parameters
    ----------
    reach
        Characters looked at on each side.
    """
    before, limit = max(0, start - reach), min(len(text), end + reach)
    left = before
    for stop in _BREAK.finditer(text, before, start):
        left = stop.end()
    after = _BREAK.search(text, end, limit)
    words: list[str] = []
    inside: list[int] = []
    for match in _WORD.finditer(text, left, after.start() if after else limit):
        if match.start() < end and match.end() > start:
            inside.append(len(words))
        words.append(match[0].casefold())
    return words, inside


def _without_dates(text: str, first: int, last: int) -> tuple[int, int]:
    """Begin and end of a note's text without lines of date and time above and below."""
    begin = 0
    while True:
        line_end = text.find("\n", begin)
        if line_end < 0 or line_end >= first or not _is_date_line(text[begin:line_end]):
            break
        begin = line_end + 1
    opening = _DATE.search(text, begin, min(first, begin + 60))
    if opening and _OPENING.fullmatch(text, begin, opening.start()):
        time = _TIME.match(text, opening.end(), first)
        begin = time.end() if time else opening.end()
    end = len(text.rstrip())
    while True:
        line_start = text.rfind("\n", 0, end) + 1
        if line_start <= last or not _is_date_line(text[line_start:end]):
            return begin, end
        end = len(text[:line_start].rstrip())


def _is_date_line(line: str) -> bool:
    """Whether a line is blank, or a date with a few words."""
    if not line.strip():
        return True
    bare, dates = _DATE.subn(" ", line[:200])
    return bool(dates) and len(line) <= 200 and len(_WORD.findall(bare)) <= _MOST_WORDS + 2
