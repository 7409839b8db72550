"""Domain records → a FHIR R4 bulk export, with the variety that real Spanish exports have.

Used for the demonstration export and for tests. What the domain does not carry (names,
identifiers, addresses) comes as a :class:`Demographics`. Every choice that a real system
makes by history (charset, markup, in which file a resource stands) is made here by a
checksum of the resource's own reference, so that the same records give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from clinical_nlp.artifacts import open_private
from clinical_nlp.errors import OutputError, UsageError
from clinical_nlp.records import CodedEvent, Coding, EventKind, PatientRecord
from fhir_adapters.simulated.documents import document_resources

#: Files that a type is spread over; patients alternate between them.
FILES: dict[str, tuple[str, ...]] = {
    "Patient": ("Patient.ndjson",),
    "Encounter": ("Encounter.ndjson.gz",),
    "Condition": ("Condition.ndjson",),
    "Observation": ("Observation.000.ndjson.gz", "Observation.001.ndjson.gz"),
    "MedicationRequest": ("MedicationRequest.ndjson",),
    "Procedure": ("Procedure.ndjson",),
    "FamilyMemberHistory": ("FamilyMemberHistory.ndjson",),
    "DocumentReference": (
        "DocumentReference.000.ndjson",
        "DocumentReference.001.ndjson.gz",
        "DocumentReference.002.ndjson",
    ),
    "Binary": ("Binary.ndjson.gz",),
}
_MARK = "http://terminology.hl7.org/CodeSystem/"
_VITAL_SIGNS = frozenset(
    {"8480-6", "8462-4", "8867-4", "59408-5", "9279-1", "8310-5", "29463-7", "8302-2", "39156-5"}
)
_PRESSURE = {"8480-6", "8462-4"}
_SMOKING = "72166-2"


class Demographics(Protocol):
    """What a Patient resource says beside sex and dates."""

    @property
    def given(self) -> str:
        """Given name."""
        ...

    @property
    def surnames(self) -> str:
        """Both surnames."""
        ...

    @property
    def cip(self) -> str:
        """Health-card number."""
        ...

    @property
    def nhc(self) -> str:
        """Record number."""
        ...

    @property
    def phone(self) -> str:
        """Telephone number."""
        ...

    @property
    def street(self) -> str:
        """Street and number."""
        ...

    @property
    def town(self) -> str:
        """Town."""
        ...


class SimulatedExport:
    """A folder of NDJSON files being written; a context manager.

    Parameters
    ----------
    folder
        New or empty; made where absent, mode 0700. Files have mode 0600.

    Raises
    ------
    UsageError
        E113 where the folder holds something already.
    OutputError
        E513 where it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.counts: dict[str, int] = {}
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise UsageError(
                    "E113", f"'{folder}' is not empty: give a new folder for the export."
                )
        except OSError as error:
            raise _cannot_write(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.close()

    def write(self, record: PatientRecord, demographics: Demographics) -> None:
        """Append one patient and all that the record holds."""
        shard = zlib.crc32(record.id.encode())
        for resource in resources(record, demographics):
            kind = resource["resourceType"]
            names = FILES[kind]
            self.counts[kind] = self.counts.get(kind, 0) + 1
            line = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
            self._append(names[shard % len(names)], line)

    def _append(self, name: str, line: str) -> None:
        try:
            if name not in self._files:
                self._files[name] = self._open(name)
            self._files[name].write(line.encode("utf-8") + b"\n")
        except OSError as error:
            raise _cannot_write(error) from None

    def _open(self, name: str) -> BinaryIO:
        raw = open_private(self._folder / name, exclusive=True)
        if not name.endswith(".gz"):
            return raw
        # No name and no time in the header: the same content gives the same bytes.
        return io.BufferedWriter(_Gzip(raw), buffer_size=1 << 16)


class _Gzip(gzip.GzipFile):
    """A gzip stream that closes the file under it."""

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__(filename="", mode="wb", compresslevel=5, fileobj=raw, mtime=0)
        self._raw_file = raw

    def close(self) -> None:
        super().close()
        self._raw_file.close()


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


def _patient(record: PatientRecord, who: Demographics) -> dict[str, Any]:
    out: dict[str, Any] = {
        "resourceType": "Patient",
        "id": record.id,
        "identifier": [
            {"type": {"text": "CIP"}, "system": "urn:example:cip", "value": who.cip},
            {"type": {"text": "NHC"}, "system": "urn:example:nhc", "value": who.nhc},
        ],
        "name": [{"use": "official", "family": who.surnames, "given": [who.given]}],
        "telecom": [{"system": "phone", "value": who.phone, "use": "mobile"}],
        "gender": str(record.sex),
        "address": [{"line": [who.street], "city": who.town, "country": "ES"}],
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
    return {"coding": [{"system": _MARK + system, "code": code}]}


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


def _cannot_write(error: OSError) -> OutputError:
    return OutputError(
        "E513",
        f"the export cannot be written ({error.strerror or type(error).__name__}): "
        "check that the folder can be written and that the disk has room.",
    )
