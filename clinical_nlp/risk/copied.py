"""Text copied forward: dates words by the note that first held them.

Notes are often written over the last one. "Disnea de esfuerzo desde hace un mes", pasted
into six visits, is one statement made six months ago and not six of them; counted anew
it would turn an old complaint into a persistent and recent one.

This first rule takes a whole sentence repeated word for word as copied, if it is long
enough not to be a phrase that anyone would type again ("No edemas.").
"""

from __future__ import annotations

import hashlib
import re
from datetime import date

from clinical_nlp.records import Finding

#: Letters and digits from which the same sentence is taken as pasted, not typed again.
#: Set by hand: templated examinations ("ACR: rítmico, sin soplos. MVC.") stay under it.
MIN_COPIED_LENGTH = 40

_BREAK = re.compile(r"[\n\r]|[.;](?=\s|$)")
_NOT_WORD = re.compile(r"[\W_]+")

_Key = tuple[str, tuple[bool, ...], float | None, str]


class FirstSaid:
    """Remembers, for one patient, on which day each sentence was first written.

    Feed it the findings of the patient's notes in order of date.
    """

    def __init__(self) -> None:
        self._first: dict[_Key, date] = {}

    def day_of(self, text: str, finding: Finding, written: date) -> date:
        """Return the day to give a finding: the note's own, or that of the first copy.

        Parameters
        ----------
        text
            The note's text. Only a hash of the sentence is kept.
        finding
            A finding of that text.
        written
            The note's day; never earlier than that of the calls before.
        """
        words = _NOT_WORD.sub(" ", _sentence(text, finding.start, finding.end)).casefold().strip()
        if len(words.replace(" ", "")) < MIN_COPIED_LENGTH:
            return written
        digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()
        key = (finding.concept, finding.flags, finding.value, digest)
        return self._first.setdefault(key, written)


def _sentence(text: str, start: int, end: int) -> str:
    """The stretch around a span up to a line break, a full stop or a semicolon."""
    # 400 characters each side bound the cost on a note without a single full stop.
    before = max(0, start - 400)
    left = before
    for stop in _BREAK.finditer(text, before, start):
        left = stop.end()
    stop_after = _BREAK.search(text, end, min(len(text), end + 400))
    right = stop_after.start() if stop_after else min(len(text), end + 400)
    return text[left:right]
