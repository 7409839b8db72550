"""A patient's record: notes and coded events, independent of FHIR."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Sex(StrEnum):
    """Administrative gender, as FHIR names it."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class EventKind(StrEnum):
    """Kind of a coded event."""

    CONDITION = "condition"
    OBSERVATION = "observation"
    MEDICATION = "medication"
    PROCEDURE = "procedure"
    FAMILY_HISTORY = "family_history"
    ENCOUNTER = "encounter"


@dataclass(frozen=True, slots=True)
class Coding:
    """A code in a code system; ``system`` is the FHIR URI."""

    system: str
    code: str
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """One note's exact text and where it came from.

    Parameters
    ----------
    source
        Reference of the resource in the export, e.g. ``"DocumentReference/note-1"``.
        One resource may hold several notes (several attachments): ``part`` counts them.
    text
        The decoded text, exactly as offsets refer to it. Patient text: never log it.
    written
        When the note was written; ``None`` where the export does not say.
    language
        BCP 47 language that the export declares, if any.
    kind
        LOINC code of the document type, if any.
    """

    source: str
    patient_id: str
    text: str
    written: datetime | None = None
    language: str | None = None
    kind: str | None = None
    part: int = 0

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the text in UTF-8; offsets of findings hold for this text."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def key(self) -> str:
        """Unique name of the note in an export: the source, and the part past the first."""
        return self.source if self.part == 0 else f"{self.source}#{self.part}"


@dataclass(frozen=True, slots=True)
class CodedEvent:
    """One dated fact of the structured record.

    Parameters
    ----------
    source
        Reference of the resource, e.g. ``"Condition/12"``.
    codings
        Its codes, in the export's order.
    start, end
        Day it began or was measured, and day it ended (resolved, stopped), where known.
    recorded
        Day it was entered into the record, where known: what a model may know by then.
    value, unit, comparator
        Quantity as exported (unit is the UCUM code where given).
    other_value
        What ``value`` may mean as well, where it was a number in text that can be read in two
        ways ("2.000"). Which one holds, the quantity's plausible range tells.
    value_codings
        Codes of a coded value (``valueCodeableConcept``).
    negated, uncertain
        Refuted / asserted as absent; provisional or differential.
    relation
        HL7 v3 RoleCode of the relative, for family history.
    """

    kind: EventKind
    source: str
    codings: tuple[Coding, ...]
    start: date | None = None
    end: date | None = None
    recorded: date | None = None
    value: float | None = None
    unit: str | None = None
    comparator: str | None = None
    value_codings: tuple[Coding, ...] = ()
    negated: bool = False
    uncertain: bool = False
    relation: str | None = None
    other_value: float | None = None


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """All that the export holds of one patient.

    ``notes`` are in order of (written, key), undated ones first; ``events`` in order of
    (start, source), undated ones first. ``died`` is the day of death where known;
    ``deceased`` may be true without it. ``active`` is false where the source declares
    the record inactive, as when the patient moved away.
    """

    id: str
    sex: Sex = Sex.UNKNOWN
    birth_date: date | None = None
    deceased: bool = False
    died: date | None = None
    notes: tuple[Note, ...] = ()
    events: tuple[CodedEvent, ...] = ()
    active: bool = True

    def age_on(self, day: date) -> int | None:
        """Completed years on ``day``; ``None`` without a birth date or before it."""
        if self.birth_date is None or day < self.birth_date:
            return None
        before_birthday = (day.month, day.day) < (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - before_birthday
