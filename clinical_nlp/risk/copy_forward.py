"""Detects text copied forward from earlier notes, and dates it by its first note.

"Disnea de esfuerzo desde hace un mes", pasted into six visits, is one statement made six
months ago. Counted six times it would turn an old complaint into a persistent, recent one, and
a diagnosis that was named once would be confirmed by its own copy.

A finding counts as copied where the words around it are in an earlier note:

- its whole sentence, if it is too long to be a stock phrase ("No edemas."), or a run of
  :data:`RUN` words that contains it, which also catches pastes that were cut, re-wrapped or
  edited elsewhere;
- its sentence, however short, if the note as a whole is a copy: it holds most of an earlier
  note, or an earlier note holds most of it (:mod:`clinical_nlp.risk.copied_notes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from clinical_nlp.records import Finding
from clinical_nlp.risk.copied_notes import CopiedNotes, NoteText, digest_of, word_spans

#: Letters and digits from which a repeated sentence counts as pasted. Set by hand:
#: templated examinations ("ACR: rítmico, sin soplos. MVC.") are shorter.
MIN_COPIED_LENGTH = 40

#: Consecutive words of one sentence that count as pasted (assumption: in English notes
#: shared runs of 8 words and more are nearly always copies; plagiarism detection uses
#: thresholds between 5 and 10).
RUN = 9

#: Letters that such a run must have: nine short words may repeat by chance.
MIN_RUN_LENGTH = 30

#: Characters looked at on each side: bounds the cost on a note without a single full stop.
_REACH = 400

_Statement = tuple[str, tuple[bool, ...], float | None]
_Key = tuple[_Statement, bytes]


class CopyForwardDetector:
    """Remembers on which day each passage of one patient's notes was first written.

    Notes must be passed in order of their dates; those without a date come last.

    Parameters
    ----------
    strict
        Concepts for which a note of a few words, too, is a copy if it was written before
        ("Insuficiencia cardíaca."). Of others, such notes are believed each time: "Disnea." on
        two days is two complaints.
    """

    def __init__(self, strict: frozenset[str] = frozenset()) -> None:
        self._strict = strict
        self._passages: dict[_Key, date] = {}
        self._sentences: list[dict[_Key, date]] = []  # of each note that has findings
        self._notes = CopiedNotes()

    def days_of(
        self, text: str, findings: Sequence[Finding], written: date | None
    ) -> list[date | None]:
        """Return the day of each finding: its note's, or that of the first copy.

        Parameters
        ----------
        text
            The note's text; only hashes of its words are kept.
        findings
            The note's findings.
        written
            The note's day, not earlier than in previous calls; ``None`` for a note without a
            date, which is compared and not remembered.
        """
        if not findings:
            return []
        places = [finding.start for finding in findings]
        note = NoteText(text, min(places), max(places))
        sources = self._notes.sources_of(note)
        own: dict[_Key, date] = {}
        days = []
        for finding in findings:
            statement = (finding.concept, finding.flags, finding.value)
            keys = [(statement, d) for d in _passages(text, finding.start, finding.end)]
            seen = [self._passages[key] for key in keys if key in self._passages]
            sentence = note.sentence_at(finding.start)
            if sentence is not None:
                short = (statement, sentence)
                certain = note.letters >= MIN_COPIED_LENGTH or finding.concept in self._strict
                if certain:
                    earlier = (self._sentences[n].get(short) for n in sources)
                    seen.extend(day for day in earlier if day is not None)
            first = min(seen, default=written)
            days.append(first)
            if written is not None and first is not None:
                for key in keys:
                    self._passages.setdefault(key, first)
                if sentence is not None:
                    own.setdefault(short, first)
        if written is not None:
            self._notes.remember(note)
            self._sentences.append(own)
        return days


def _passages(text: str, start: int, end: int) -> Iterator[bytes]:
    """Hashes of the sentence around a span, and of each run of words that contains it."""
    words, inside = word_spans(text, start, end, _REACH)
    if sum(map(len, words)) >= MIN_COPIED_LENGTH:
        yield digest_of(words)
    if not inside or len(words) < RUN:
        return
    first, last = inside[0], inside[-1]
    for begin in range(max(0, last - RUN + 1), min(first, len(words) - RUN) + 1):
        run = words[begin : begin + RUN]
        if sum(map(len, run)) >= MIN_RUN_LENGTH:
            yield digest_of(run)
