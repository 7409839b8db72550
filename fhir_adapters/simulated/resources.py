"""Domain records → FHIR R4 resources, as a hospital's export writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Protocol

from clinical_nlp.records import CodedEvent, Coding, EventKind, PatientRecord
from fhir_adapters.simulated.documents import document_resources

_HL7 = "http://terminology.hl7.org/CodeSystem/"
_VITAL_SIGNS = frozenset(
    {"8480-6", "8462-4", "8867-4", "59408-5", "9279-1", "8310-5", "29463-7", "8302-2", "39156-5"}
)
_PRESSURE = {"8480-6", "8462-4"}
_SMOKING = "72166-2"


class Demographics(Protocol):
    """Content of a Patient resource besides sex and dates."""

    @property
    def given(self) -> str:
        """Given name."""

    @property
    def surnames(self) -> str:
        """Both surnames."""

    @property
    def cip(self) -> str:
        """Health-card number."""

    @property
    def nhc(self) -> str:
        """Record number."""

    @property
    def phone(self) -> str:
        """Telephone number."""

    @property
    def street(self) -> str:
        """Street and number."""

    @property
    def town(self) -> str:
        """Town."""


def resources(record: PatientRecord, demographics: Demographics) -> Iterator[dict[str, Any]]:
    """Yield the FHIR resources of one patient, the Patient first."""
    subject = {"reference": f"Patient/{record.id}"}
    yield _patient(record, demographics)
    contacts: dict[date, str] = {}
    panels: dict[str, list[CodedEvent]] = {}
    for event in record.events:
        if event.kind is EventKind.OBSERVATION:
            panels.setdefault(event.source, []).append(event)
            continue
        if event.kind is EventKind.ENCOUNTER and event.start is not None:
            contacts.setdefault(event.start, event.source)
        yield _WRITERS[event.kind](event, subject)
    for events in panels.values():
        yield _observation(events, subject)
    for note in record.notes:
        yield from document_resources(note, subject, contacts)


def _patient(record: PatientRecord, person: Demographics) -> dict[str, Any]:
    out: dict[str, Any] = {
        "resourceType": "Patient",
        "id": record.id,
        "identifier": [
            {"type": {"text": "CIP"}, "system": "urn:example:cip", "value": person.cip},
            {"type": {"text": "NHC"}, "system": "urn:example:nhc", "value": person.nhc},
        ],
        "name": [{"use": "official", "family": person.surnames, "given": [person.given]}],
        "telecom": [{"system": "phone", "value": person.phone, "use": "mobile"}],
        "gender": str(record.sex),
        "address": [{"line": [person.street], "city": person.town, "country": "ES"}],
    }
    if record.birth_date is not None:
        out["birthDate"] = record.birth_date.isoformat()
    if record.died is not None:
        out["deceasedDateTime"] = record.died.isoformat()
    elif record.deceased:
        out["deceasedBoolean"] = True
    if not record.active:
        out["active"] = False
    return out


def _base(event: CodedEvent, subject: dict[str, str], whose: str = "subject") -> dict[str, Any]:
    kind, _, identity = event.source.partition("/")
    return {"resourceType": kind, "id": identity, whose: subject}


def _condition(event: CodedEvent, subject: dict[str, str]) -> dict[str, Any]:
    out = _base(event, subject)
    over = event.end is not None
    out["clinicalStatus"] = _concept("condition-clinical", "resolved" if over else "active")
    status = "refuted" if event.negated else "provisional" if event.uncertain else "confirmed"
    out["verificationStatus"] = _concept("condition-ver-status", status)
    out["category"] = [_concept("condition-category", "problem-list-item")]
    out["code"] = _codeable(event.codings)
    _dates(out, onsetDateTime=event.start, abatementDateTime=event.end, recordedDate=event.recorded)
    return out


def _encounter(event: CodedEvent, subject: dict[str, str]) -> dict[str, Any]:
    out = _base(event, subject)
    out["status"] = "finished"
    out["class"] = _coding(event.codings[0])
    out["period"] = {}
    _dates(out["period"], start=event.start, end=event.end)
    return out


def _medication(event: CodedEvent, subject: dict[str, str]) -> dict[str, Any]:
    out = _base(event, subject)
    out["status"] = "active" if event.end is None else "stopped"
    out["intent"] = "order"
    out["medicationCodeableConcept"] = _codeable(event.codings)
    _dates(out, authoredOn=event.start)
    if event.end is not None:
        out["dispenseRequest"] = {"validityPeriod": {}}
        _dates(out["dispenseRequest"]["validityPeriod"], start=event.start, end=event.end)
    return out


def _procedure(event: CodedEvent, subject: dict[str, str]) -> dict[str, Any]:
    out = _base(event, subject)
    out["status"] = "not-done" if event.negated else "completed"
    out["code"] = _codeable(event.codings)
    _dates(out, performedDateTime=event.start)
    return out


def _family(event: CodedEvent, subject: dict[str, str]) -> dict[str, Any]:
    out = _base(event, subject, "patient")
    out["status"] = "completed"
    _dates(out, date=event.recorded)
    out["relationship"] = _concept("v3-RoleCode", event.relation or "FAMMEMB")
    out["condition"] = [{"code": _codeable(event.codings)}]
    return out


_WRITERS = {
    EventKind.CONDITION: _condition,
    EventKind.ENCOUNTER: _encounter,
    EventKind.MEDICATION: _medication,
    EventKind.PROCEDURE: _procedure,
    EventKind.FAMILY_HISTORY: _family,
}


def _observation(events: list[CodedEvent], subject: dict[str, str]) -> dict[str, Any]:
    """Write one resource: events that share a reference are components of one panel."""
    first = events[0]
    codes = {event.codings[0].code for event in events}
    out = _base(first, subject)
    out["status"] = "final"
    category = "vital-signs" if codes <= _VITAL_SIGNS else "laboratory"
    if _SMOKING in codes:
        category = "social-history"
    out["category"] = [_concept("observation-category", category)]
    _dates(out, effectiveDateTime=first.start)
    if first.recorded is not None:
        out["issued"] = f"{first.recorded.isoformat()}T12:00:00+01:00"
    if len(events) == 1 and not codes & _PRESSURE:
        out["code"] = _codeable(first.codings)
        out |= _value(first)
        return out
    out["code"] = _codeable((Coding("http://loinc.org", "85354-9", "Presión arterial"),))
    out["component"] = [{"code": _codeable(event.codings), **_value(event)} for event in events]
    return out


def _value(event: CodedEvent) -> dict[str, Any]:
    if event.value_codings:
        return {"valueCodeableConcept": _codeable(event.value_codings)}
    if event.value is None:
        return {}
    number = int(event.value) if event.value.is_integer() else event.value
    quantity: dict[str, Any] = {"value": number}
    if event.comparator is not None:
        quantity["comparator"] = event.comparator
    if event.unit is not None:
        quantity |= {
            "unit": event.unit,
            "system": "http://unitsofmeasure.org",
            "code": event.unit,
        }
    return {"valueQuantity": quantity}


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": _HL7 + system, "code": code}]}


def _codeable(codings: tuple[Coding, ...]) -> dict[str, Any]:
    return {"coding": [_coding(coding) for coding in codings]}


def _coding(coding: Coding) -> dict[str, Any]:
    out = {"system": coding.system, "code": coding.code}
    if coding.display is not None:
        out["display"] = coding.display
    return out


def _dates(out: dict[str, Any], **days: date | None) -> None:
    for name, day in days.items():
        if day is not None:
            out[name] = day.isoformat()
