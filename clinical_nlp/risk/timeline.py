"""A patient's timeline: dated entries from notes and structured data.

Each :class:`Entry` keeps its source, so that features can be computed by source and every
reason of an estimate links to the words or the resource behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from clinical_nlp.records import EventKind, Evidence, PatientRecord, Sex
from clinical_nlp.risk.plausibility import (
    Cause,
    Measured,
    age_on,
    doubtful,
    limited_concepts,
    sources_of,
)


class Origin(StrEnum):
    """Source of an entry."""

    NOTE = "note"
    STRUCTURED = "structured"


class Presence(StrEnum):
    """Whether an entry affirms its concept."""

    PRESENT = "present"
    ABSENT = "absent"  # denied: evidence of absence, unlike no mention
    UNCERTAIN = "uncertain"
    PAST = "past"  # in the past only


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement about the patient.

    Parameters
    ----------
    concept
        Key of a catalogue concept.
    day
        Clinical day; for text copied forward, the day of the first copy. ``None`` where
        the record has no date.
    known
        Day on which it entered the record (``day`` or later). A model may use it from then
        on.
    kind
        Kind of the structured event; ``None`` for a note.
    end
        Day on which a problem was resolved or a drug stopped, where known.
    value, low, high
        Measurement in ``unit``, the concept's UCUM unit.
    abbreviated
        The note uses an abbreviation ("IC"), which may be ambiguous.
    doubted
        The reader is not sure what the note says of it; ``presence`` is uncertain for that, not
        because the note's author doubts.
    one_sided
        The note says that swelling is of one leg (:mod:`clinical_nlp.risk.laterality`).
    document
        LOINC code of the note's document type, if any.
    """

    concept: str
    day: date | None
    known: date | None
    origin: Origin
    presence: Presence
    evidence: Evidence
    kind: EventKind | None = None
    end: date | None = None
    value: float | None = None
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    comparator: str | None = None
    abbreviated: bool = False
    doubted: bool = False
    one_sided: bool = False
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A value that is kept in the record and given to no model, and why."""

    entry: Entry
    cause: Cause


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the record holds of a patient up to and including the index day ``as_of``.

    Parameters
    ----------
    entries
        Dated entries in order of (day, concept, source, place).
    undated
        Entries without a day. They support a diagnosis but no feature: they may be later
        than the index day.
    coded_heart_failure
        Structured events that code diagnosed heart failure, dated or not.
    note_days
        Distinct days with a note, in order.
    contact_days
        Distinct days with any dated entry, note or encounter, in order.
    doubts
        Values that no body has, or reached by a change that no body makes. They are not
        among ``entries``.
    context
        What notes say around the diagnosis and no feature reads: tests asked for,
        heart-failure programmes (:mod:`clinical_nlp.risk.note_context`).
    """

    patient_id: str
    as_of: date
    sex: Sex
    birth_date: date | None = None
    entries: tuple[Entry, ...] = ()
    undated: tuple[Entry, ...] = ()
    coded_heart_failure: tuple[Entry, ...] = ()
    note_days: tuple[date, ...] = ()
    contact_days: tuple[date, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    context: tuple[Entry, ...] = ()

    @property
    def age(self) -> int | None:
        """Completed years on ``as_of``; ``None`` without a birth date."""
        return PatientRecord(self.patient_id, birth_date=self.birth_date).age_on(self.as_of)

    def of(self, concepts: frozenset[str]) -> list[Entry]:
        """Return the dated entries of some concepts, oldest first."""
        return [entry for entry in self.entries if entry.concept in concepts]

    def until(self, day: date) -> Timeline:
        """Return the timeline as it stood at the end of an earlier ``day``.

        Entries known later are dropped, and later ends removed. Which values are doubtful is
        decided anew, by those that were known.
        """
        everything = sorted((*self.entries, *(d.entry for d in self.doubts)), key=order_of)
        entries, doubts = without_doubtful(known_by(everything, day), self.birth_date)
        return replace(
            self,
            as_of=day,
            entries=entries,
            doubts=doubts,
            undated=(),  # not known to be of before that day
            coded_heart_failure=known_by(self.coded_heart_failure, day),
            note_days=tuple(d for d in self.note_days if d <= day),
            contact_days=tuple(d for d in self.contact_days if d <= day),
            context=known_by(self.context, day),
        )

    def only(self, origin: Origin) -> Timeline:
        """Return the timeline with the entries of one source only."""
        return replace(
            self,
            entries=tuple(e for e in self.entries if e.origin is origin),
            undated=tuple(e for e in self.undated if e.origin is origin),
            doubts=tuple(d for d in self.doubts if d.entry.origin is origin),
            note_days=self.note_days if origin is Origin.NOTE else (),
            context=tuple(e for e in self.context if e.origin is origin),
        )


def known_by(entries: Iterable[Entry], day: date) -> tuple[Entry, ...]:
    """Return the entries known on ``day``, without ends that lie after it."""
    kept = (e for e in entries if e.known is not None and e.known <= day)
    return tuple(replace(e, end=None) if e.end is not None and e.end > day else e for e in kept)


def order_of(entry: Entry) -> tuple[date, str, str, int, float]:
    """Sort key of entries: (day, concept, source, place, value)."""
    place = entry.evidence.start if entry.evidence.start is not None else -1
    return (entry.day or date.min, entry.concept, entry.evidence.source, place, entry.value or 0.0)


def without_doubtful(
    entries: tuple[Entry, ...], birth: date | None
) -> tuple[tuple[Entry, ...], tuple[Doubt, ...]]:
    """Part dated entries, in order, into those to believe and those with a doubtful value."""
    limited = limited_concepts()
    numbers: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        if entry.concept in limited and entry.value is not None and entry.day is not None:
            numbers.setdefault(entry.concept, []).append(number)
    causes: dict[int, Cause] = {}
    for concept, places in numbers.items():
        series = [_measured(entries[n], birth) for n in places]
        causes.update({places[n]: cause for n, cause in doubtful(concept, series).items()})
    if not causes:
        return entries, ()
    causes |= _derived(entries, numbers, causes)
    believed = tuple(e for n, e in enumerate(entries) if n not in causes)
    return believed, tuple(Doubt(entries[n], causes[n]) for n in sorted(causes))


def _derived(
    entries: tuple[Entry, ...], numbers: Mapping[str, list[int]], causes: Mapping[int, Cause]
) -> dict[int, Cause]:
    """Values computed from a doubtful one of the same day."""
    wrong = {(entries[n].concept, entries[n].day) for n in causes}
    return {
        n: Cause("derived")
        for concept, places in numbers.items()
        for n in places
        if n not in causes and any((s, entries[n].day) in wrong for s in sources_of(concept))
    }


def _measured(entry: Entry, birth: date | None) -> Measured:
    day = entry.day or date.min
    return Measured(day, entry.value or 0.0, age_on(birth, day))
