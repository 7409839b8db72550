"""Patient → sex, birth, death, use of the record, links; no name, address or identifier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clinical_nlp.records import PatientRecord, Sex
from fhir_adapters.reading.dates import Dates, parse_moment
from fhir_adapters.reading.defects import Defect
from fhir_adapters.reading.references import parse_reference
from fhir_adapters.reading.shape import Json


@dataclass(frozen=True, slots=True)
class Person:
    """What is kept of a Patient, and what was wrong with it."""

    sex: Sex
    birth_date: date | None
    deceased: bool
    died: date | None
    active: bool = True
    defects: tuple[Defect, ...] = ()

    def record(self, patient_id: str) -> PatientRecord:
        """Return the person as a record without notes or events."""
        return PatientRecord(
            id=patient_id,
            sex=self.sex,
            birth_date=self.birth_date,
            deceased=self.deceased,
            died=self.died,
            active=self.active,
        )


def reduce_patient(resource: Json, dates: Dates) -> Person:
    """Reduce a Patient.

    A patient is never lost over a bad field, as all notes would be lost with the patient:
    dates that are none or lie ahead are dropped and reported, a gender that FHIR does not
    know is ``unknown``. Of a partial birth date the first day is taken.
    """
    defects: list[Defect] = []
    birth = _past_day(resource.get("birthDate"), dates)
    if birth is None and resource.get("birthDate") is not None:
        defects.append(Defect.BAD_BIRTH_DATE)
    death = _past_day(resource.get("deceasedDateTime"), dates)
    if death is None and resource.get("deceasedDateTime") is not None:
        defects.append(Defect.BAD_DEATH_DATE)
    gender = resource.get("gender")
    return Person(
        sex=Sex(gender) if gender in tuple(Sex) else Sex.UNKNOWN,
        birth_date=birth,
        deceased=resource.get("deceasedBoolean") is True or "deceasedDateTime" in resource,
        died=death,
        # R4: "this record is in active use"; absent means that it is (Patient.active).
        active=resource.get("active") is not False,
        defects=tuple(defects),
    )


def links(resource: Json) -> tuple[tuple[str, str], ...]:
    """Return type and Patient id of each link to another record of the person.

    Like all of a Patient, what cannot be read is passed over.
    """
    found: list[tuple[str, str]] = []
    given = resource.get("link")
    for link in given if isinstance(given, list) else []:
        other = link.get("other") if isinstance(link, dict) else None
        text = other.get("reference") if isinstance(other, dict) else None
        reference = parse_reference(text) if isinstance(text, str) else None
        kind = link.get("type") if isinstance(link, dict) else None
        if (
            isinstance(kind, str)
            and reference is not None
            and not reference.contained
            and reference.type in (None, "Patient")
        ):
            found.append((kind, reference.id))
    return tuple(found)


def _past_day(value: object, dates: Dates) -> date | None:
    moment = parse_moment(value) if isinstance(value, str) else None
    return None if moment is None or dates.is_future(moment) else moment.day
