"""A patient's timeline: what notes and structured data say, by day, in one list.

An :class:`Entry` keeps where it came from, so that the share of each source can be told
apart and every reason of an estimate can point at the words or the resource behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from clinical_nlp.records import EventKind, Evidence, PatientRecord, Sex


class Origin(StrEnum):
    """Which half of the record an entry comes from."""

    NOTE = "note"
    STRUCTURED = "structured"


class Presence(StrEnum):
    """What an entry says of its concept in this patient."""

    PRESENT = "present"
    ABSENT = "absent"  # looked for and denied: evidence of absence, not silence
    UNCERTAIN = "uncertain"
    PAST = "past"  # was, and is not told as current


@dataclass(frozen=True, slots=True)
class Entry:
    """One dated statement about the patient.

    Parameters
    ----------
    concept
        Key of a catalogue concept.
    day
        Clinical day. For words copied from an earlier note: the day they were first
        written. ``None`` where the record does not say.
    known
        Day from which the record held it (``day`` or later): what decides whether a
        model may use it.
    kind
        Kind of the structured event; ``None`` for a note.
    end
        Day it ended (a problem resolved, a drug stopped), where known.
    value, low, high
        Measurement in ``unit``, the concept's UCUM unit.
    abbreviated
        The note used an abbreviation ("IC"), which may mean something else.
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
    """All that is known of a patient up to and including ``as_of``.

    Parameters
    ----------
    entries
        Dated entries in order of (day, concept, source, place).
    undated
        Entries without a day. They support a diagnosis, never a feature: nobody can
        tell whether they came before the index day.
    coded_heart_failure
        Structured events that code diagnosed heart failure, dated or not.
    note_days
        Distinct days with a note, in order.
    contact_days
        Distinct days with any dated statement, note or encounter, in order.
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

    def of(self, concepts: frozenset[str], origin: Origin | None = None) -> Iterator[Entry]:
        """Yield the dated entries of some concepts, oldest first."""
        for entry in self.entries:
            if entry.concept in concepts and (origin is None or entry.origin is origin):
                yield entry

    def until(self, day: date) -> Timeline:
        """Return the timeline as it stood at the end of an earlier ``day``.

        What was known only later is dropped, and what ended later has not ended yet.
        """
        return replace(
            self,
            as_of=day,
            entries=known_by(self.entries, day),
            undated=(),  # a past day cannot know what carries no date
            coded_heart_failure=known_by(self.coded_heart_failure, day),
            note_days=tuple(d for d in self.note_days if d <= day),
            contact_days=tuple(d for d in self.contact_days if d <= day),
        )

    def only(self, origin: Origin) -> Timeline:
        """Return the timeline with one half of the record alone, to measure its share."""
        return replace(
            self,
            entries=tuple(e for e in self.entries if e.origin is origin),
            undated=tuple(e for e in self.undated if e.origin is origin),
            coded_heart_failure=self.coded_heart_failure,
            note_days=self.note_days if origin is Origin.NOTE else (),
        )


def known_by(entries: Iterable[Entry], day: date) -> tuple[Entry, ...]:
    """Keep what was known on ``day``; what ended later has not ended yet."""
    kept = (e for e in entries if e.known is not None and e.known <= day)
    return tuple(replace(e, end=None) if e.end is not None and e.end > day else e for e in kept)
