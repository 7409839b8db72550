"""Detects text copied forward from earlier notes, and dates it by its first note.

"Disnea de esfuerzo desde hace un mes", pasted into six visits, is one statement made six
months ago. Counted six times it would turn an old complaint into a persistent, recent one.

A finding counts as copied where the words around it are in an earlier note: either its
whole sentence, if it is too long to be a stock phrase ("No edemas."), or a run of
:data:`RUN` words that contains it, which also catches pastes that were cut, re-wrapped or
edited elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date

from clinical_nlp.records import Finding

#: Letters and digits from which a repeated sentence counts as pasted. Set by hand:
#: templated examinations ("ACR: rítmico, sin soplos. MVC.") are shorter.
MIN_COPIED_LENGTH = 40

#: Consecutive words of one sentence that count as pasted (assumption: in English notes
#: shared runs of 8 words and more are nearly always copies; plagiarism detection uses
#: thresholds between 5 and 10).
RUN = 9

#: Letters that such a run must have: nine short words may repeat by chance.
MIN_RUN_LENGTH = 30

# A sentence ends at a stop, a blank line or a list item. A single line break may be a
# wrapped line.
_BREAK = re.compile(r"\n\s*\n|[\n\r]\s*[-*•·]|[.;](?=\s|$)|:\s*[\n\r]")
_WORD = re.compile(r"\w+")

#: Characters looked at on each side: bounds the cost on a note without a single full stop.
_REACH = 400

_Key = tuple[str, tuple[bool, ...], float | None, bytes]


class CopyForwardDetector:
    """Remembers on which day each passage of one patient's notes was first written.

    Findings must be passed in order of the date of their notes.
    """

    def __init__(self) -> None:
        self._first: dict[_Key, date] = {}

    def day_of(self, text: str, finding: Finding, written: date) -> date:
        """Return the day of a finding: its note's, or that of the first copy.

        Parameters
        ----------
        text
            The note's text; only hashes of its words are kept.
        finding
            A finding of that text.
        written
            The note's day; not earlier than in previous calls.
        """
        keys = [
            (finding.concept, finding.flags, finding.value, digest)
            for digest in _passages(text, finding.start, finding.end)
        ]
        first = min((self._first[key] for key in keys if key in self._first), default=written)
        for key in keys:
            self._first.setdefault(key, first)
        return first


def _passages(text: str, start: int, end: int) -> Iterator[bytes]:
    """Hashes of the sentence around a span, and of each run of words that contains it."""
    left, right = _sentence(text, start, end)
    words: list[str] = []
    inside: list[int] = []
    for match in _WORD.finditer(text, left, right):
        if match.start() < end and match.end() > start:
            inside.append(len(words))
        words.append(match[0].casefold())
    if sum(map(len, words)) >= MIN_COPIED_LENGTH:
        yield _digest(words)
    if not inside or len(words) < RUN:
        return
    first, last = inside[0], inside[-1]
    for begin in range(max(0, last - RUN + 1), min(first, len(words) - RUN) + 1):
        run = words[begin : begin + RUN]
        if sum(map(len, run)) >= MIN_RUN_LENGTH:
            yield _digest(run)


def _digest(words: list[str]) -> bytes:
    return hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).digest()


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Start and end of the sentence around a span."""
    before = max(0, start - _REACH)
    left = before
    for stop in _BREAK.finditer(text, before, start):
        left = stop.end()
    after = _BREAK.search(text, end, min(len(text), end + _REACH))
    return left, after.start() if after else min(len(text), end + _REACH)
