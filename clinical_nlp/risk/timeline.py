"""A patient's timeline: dated entries from notes and structured data.

Each :class:`Entry` keeps its source, so that features can be computed by source and every
reason of an estimate links to the words or the resource behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from clinical_nlp.records import EventKind, Evidence, PatientRecord, Sex


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

    @property
    def age(self) -> int | None:
        """Completed years on ``as_of``; ``None`` without a birth date."""
        return PatientRecord(self.patient_id, birth_date=self.birth_date).age_on(self.as_of)

    def of(self, concepts: frozenset[str]) -> list[Entry]:
        """Return the dated entries of some concepts, oldest first."""
        return [entry for entry in self.entries if entry.concept in concepts]

    def until(self, day: date) -> Timeline:
        """Return the timeline as it stood at the end of an earlier ``day``.

        Entries known later are dropped, and later ends removed.
        """
        return replace(
            self,
            as_of=day,
            entries=known_by(self.entries, day),
            undated=(),  # not known to be of before that day
            coded_heart_failure=known_by(self.coded_heart_failure, day),
            note_days=tuple(d for d in self.note_days if d <= day),
            contact_days=tuple(d for d in self.contact_days if d <= day),
        )

    def only(self, origin: Origin) -> Timeline:
        """Return the timeline with the entries of one source only."""
        return replace(
            self,
            entries=tuple(e for e in self.entries if e.origin is origin),
            undated=tuple(e for e in self.undated if e.origin is origin),
            note_days=self.note_days if origin is Origin.NOTE else (),
        )


def known_by(entries: Iterable[Entry], day: date) -> tuple[Entry, ...]:
    """Return the entries known on ``day``, without ends that lie after it."""
    kept = (e for e in entries if e.known is not None and e.known <= day)
    return tuple(replace(e, end=None) if e.end is not None and e.end > day else e for e in kept)
