"""Text copied forward: dates words by the note that first held them.

Notes are often written over the last one. "Disnea de esfuerzo desde hace un mes", pasted
into six visits, is one statement made six months ago and not six of them; counted anew
it would turn an old complaint into a persistent and recent one.

A finding is taken as copied where the words around it stand in an earlier note: its whole
sentence, if that is long enough not to be a phrase that anyone would type again ("No
edemas."), or a run of :data:`RUN` words that holds it, so that a paste which was cut,
re-wrapped or edited elsewhere is seen too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date

from clinical_nlp.records import Finding

#: Letters and digits from which the same words are taken as pasted, not typed again.
#: Set by hand: templated examinations ("ACR: rítmico, sin soplos. MVC.") stay under it.
MIN_COPIED_LENGTH = 40

#: Words in a row, within one sentence, that nobody types twice by chance (assumption: in
#: English notes shared runs of 8 words and more are nearly always copies; the usual
#: thresholds of plagiarism detection lie between 5 and 10).
RUN = 9

#: Letters that such a run must hold: nine short words may be anyone's.
MIN_RUN_LENGTH = 30

# A sentence ends at a stop, or where lines are apart or a list goes on; a single line
# break is where an old system wrapped the line.
_BREAK = re.compile(r"\n\s*\n|[\n\r]\s*[-*•·]|[.;](?=\s|$)|:\s*[\n\r]")
_WORD = re.compile(r"\w+")

#: Characters looked at on each side: bounds the cost on a note without a single full stop.
_REACH = 400

_Key = tuple[str, tuple[bool, ...], float | None, bytes]


class CopyForwardDetector:
    """Remembers, for one patient, on which day each stretch of words was first written.

    Feed it the findings of the patient's notes in order of date.
    """

    def __init__(self) -> None:
        self._first: dict[_Key, date] = {}

    def day_of(self, text: str, finding: Finding, written: date) -> date:
        """Return the day to give a finding: the note's own, or that of the first copy.

        Parameters
        ----------
        text
            The note's text. Only hashes of its words are kept.
        finding
            A finding of that text.
        written
            The note's day; never earlier than that of the calls before.
        """
        keys = [
            (finding.concept, finding.flags, finding.value, digest)
            for digest in _stretches(text, finding.start, finding.end)
        ]
        first = min((self._first[key] for key in keys if key in self._first), default=written)
        for key in keys:
            self._first.setdefault(key, first)
        return first


def _stretches(text: str, start: int, end: int) -> Iterator[bytes]:
    """Hashes of the sentence around a span and of each run of words that holds it."""
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
    """Bounds of the stretch around a span up to a break on each side."""
    before = max(0, start - _REACH)
    left = before
    for stop in _BREAK.finditer(text, before, start):
        left = stop.end()
    after = _BREAK.search(text, end, min(len(text), end + _REACH))
    return left, after.start() if after else min(len(text), end + _REACH)
