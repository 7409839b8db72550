"""What the record says of a patient's care beyond the vocabulary's concepts (``care.toml``).

Palliative care, dependence, a stay in hospital and cardiology, read from codes of the structured
record and from phrases in notes. Only the advice uses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.lexicon.codes import system_name
from clinical_nlp.matching.cues import CueMatcher, compile_cue, cue_word
from clinical_nlp.records import CodedEvent, EventKind, NoteFindings, PatientRecord

_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|\n")
#: What ends a sentence, so that no phrase and no `unless` reaches over it.
_STOPS = frozenset(".;\n")


@dataclass(frozen=True, slots=True)
class Care:
    """The latest day of each topic of ``care.toml`` that the record meets.

    Parameters
    ----------
    days
        Latest day by topic, within the topic's days before the index day.
    """

    days: Mapping[str, date] = field(default_factory=dict)

    def day(self, topic: str) -> date | None:
        """Return the latest day on which a topic is met; ``None`` where it is not."""
        return self.days.get(topic)


def read_care(record: PatientRecord, notes: Sequence[NoteFindings], as_of: date) -> Care:
    """Read the topics of care that a record meets as of a day.

    Parameters
    ----------
    record
        The patient's structured record; events that begin after ``as_of`` are not used.
    notes
        Notes with their findings; undated ones and later ones are not used.
    as_of
        Index day.

    Returns
    -------
    Care
        No word of a note is in it.
    """
    days: dict[str, date] = {}
    for topic, day in (*_in_events(record.events, as_of), *_in_notes(notes, as_of)):
        rule = _rules()["topics"][topic]
        if as_of - timedelta(days=rule["days"]) < day <= as_of:
            days[topic] = max(day, days.get(topic, day))
    return Care(days)


def _in_events(events: Iterable[CodedEvent], as_of: date) -> Iterator[tuple[str, date]]:
    for event in events:
        if event.negated or event.uncertain or event.kind is EventKind.FAMILY_HISTORY:
            continue
        start = event.start or event.recorded
        if start is None or start > as_of:
            continue
        for topic, rule in _rules()["topics"].items():
            if not any(_is_coded(c.system, c.code, topic) for c in event.codings):
                continue
            if "stay_days" not in rule:
                yield topic, start
            elif _is_open(event, start, as_of, rule["stay_days"]):
                yield topic, as_of


def _is_open(event: CodedEvent, start: date, as_of: date, stay_days: int) -> bool:
    if event.end is not None:
        return event.end > as_of
    return start > as_of - timedelta(days=stay_days)


@cache
def _is_coded(system: str, code: str, topic: str) -> bool:
    names = {system, system_name(system)}
    bare = code.strip().replace(".", "").upper()
    return any(
        row["system"] in names
        and (bare in row.get("exact", ()) or bare.startswith(tuple(row.get("prefix", ()))))
        for row in _rules()["topics"][topic].get("codes", ())
    )


def _in_notes(notes: Iterable[NoteFindings], as_of: date) -> Iterator[tuple[str, date]]:
    for noted in notes:
        written = noted.note.written
        if written is None or written.date() > as_of:
            continue
        for topic in _topics_of(noted):
            yield topic, written.date()


def _topics_of(noted: NoteFindings) -> set[str]:
    """Topics that one note meets."""
    topics = _rules()["topics"]
    hypothetical = {f.concept for f in noted.findings if f.hypothetical and not f.family}
    met = {
        topic
        for topic, rule in topics.items()
        if not hypothetical.isdisjoint(rule.get("hypothetical", ()))
    }
    for sentence in _sentences(noted.note.text):
        met |= _phrases().topics_of(sentence)
    return met


def _sentences(text: str) -> Iterator[list[str]]:
    words: list[str] = []
    for token in _TOKEN.findall(text):
        if token not in _STOPS:
            if word := cue_word(token):  # accents without a letter leave nothing
                words.append(word)
        elif words:
            yield words
            words = []
    if words:
        yield words


class _Phrases:
    """All phrases of ``care.toml``, in one automaton."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self._reach: int = rules["reach"]
        self._meanings: list[tuple[str, str]] = []  # topic and role of each pattern
        patterns = []
        for topic, rule in rules["topics"].items():
            for role in ("phrases", "unless", "if", "not_with"):
                for form in rule.get(role, ()):
                    self._meanings.append((topic, role))
                    patterns.append(compile_cue(form, rules["lists"], f"care.{topic}"))
        self._matcher = CueMatcher(patterns)

    def topics_of(self, words: Sequence[str]) -> set[str]:
        """Topics that a sentence meets."""
        found: dict[tuple[str, str], list[tuple[int, int]]] = {}

        def collect(start: int, end: int, patterns: tuple[int, ...]) -> bool:
            for number in patterns:
                found.setdefault(self._meanings[number], []).append((start, end))
            return False

        self._matcher.find(words, collect)  # asked of every match, not of the longest alone
        return {
            topic
            for (topic, role), spans in found.items()
            if role == "phrases"
            and (topic, "not_with") not in found
            and any(self._counts(topic, begin, found, words) for begin, _ in spans)
        }

    def _counts(
        self,
        topic: str,
        begin: int,
        found: Mapping[tuple[str, str], list[tuple[int, int]]],
        words: Sequence[str],
    ) -> bool:
        """Whether nothing before a phrase takes it back."""
        if any(end <= begin for _, end in found.get((topic, "if"), ())):
            return False
        return not any(
            end <= begin <= end + self._reach and "," not in words[end:begin]
            for _, end in found.get((topic, "unless"), ())
        )


@cache
def _phrases() -> _Phrases:
    return _Phrases(_rules())


@cache
def _rules() -> dict[str, Any]:
    return read_toml("clinical_nlp.risk", "care.toml")
