"""One line of the export → a row of the spool, a count, or a row of the quarantine."""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date

from clinical_nlp.records import TypeCounts
from clinical_nlp.records.codec import CODINGS, EVENTS, RECORD
from fhir_adapters.reading.attachment_files import AttachmentFiles
from fhir_adapters.reading.attachments import Part, choose, decode_base64, defect_of_kept
from fhir_adapters.reading.bundles import Deletion, deletion_of, entries
from fhir_adapters.reading.codings import codings
from fhir_adapters.reading.dates import Dates, parse_moment
from fhir_adapters.reading.defects import Defect, LeftOut, Unusable, megabytes
from fhir_adapters.reading.files import ExportFile
from fhir_adapters.reading.lines import Line
from fhir_adapters.reading.parsing import bookkeeping, identity, load, resource_of
from fhir_adapters.reading.references import patient_id
from fhir_adapters.reading.resources import DOCUMENT_REDUCERS, EVENT_REDUCERS
from fhir_adapters.reading.resources.document import Document, replaced_by
from fhir_adapters.reading.resources.patient import links, reduce_patient
from fhir_adapters.reading.shape import Json, child, children, string
from fhir_adapters.reading.spool import ResourceStatus, Row, Spool, fault_of_data
from fhir_adapters.reading.versions import other_version

#: Resource types that a patient's record is built from.
USED_TYPES = frozenset({"Patient", "Binary", "Medication", *EVENT_REDUCERS, *DOCUMENT_REDUCERS})
#: Type under which lines are counted whose type cannot be read.
UNKNOWN_TYPE = "?"
# By URL and by OID, as FhirSink writes it on demand (and did by default until ADR 040).
_OBSERVATION_VALUE = (
    "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "urn:oid:2.16.840.1.113883.5.1063",
)
#: Bundles may stand in Bundles this deep.
_MOST_NESTED = 3
_AI_ASSERTED = frozenset((system, "AIAST") for system in _OBSERVATION_VALUE)
_SUBSETTED = frozenset((system, "SUBSETTED") for system in _OBSERVATION_VALUE)
#: Defects that another FHIR version of a resource may cause.
_OF_ANOTHER_VERSION = frozenset({Defect.BAD_SHAPE, Defect.NO_SUBJECT, Defect.NO_DATA})


@dataclass(slots=True)
class _Place:
    """Where a line stands, and what is known of its resource so far."""

    file: int
    line: int
    deleted: bool = False
    kind: str = UNKNOWN_TYPE
    reference: str | None = None


class Intake:
    """Parses, reduces and spools lines one by one.

    Attributes
    ----------
    counts
        Counts by type of all lines that did not become a row of the spool.
    """

    def __init__(
        self,
        spool: Spool,
        dates: Dates,
        max_note_bytes: int,
        max_line_bytes: int,
        attachments: AttachmentFiles | None = None,
    ) -> None:
        self.counts: defaultdict[str, TypeCounts] = defaultdict(TypeCounts)
        self._spool = spool
        self._dates = dates
        self._limit = max_note_bytes
        self._max_line_bytes = max_line_bytes
        self._attachments = attachments or AttachmentFiles((), max_note_bytes)

    def add(self, file: int, line: Line, source: ExportFile | None = None) -> None:
        """Spool one line; a defect, foreseen or not, goes to the quarantine.

        Parameters
        ----------
        file
            Number of the file.
        source
            The file, where it may be a log or name what was deleted.
        """
        place = _Place(file, line.number, source is not None and source.deleted)
        before = self._spool.count
        try:
            if line.content is None:
                limit = megabytes(self._max_line_bytes)
                raise Unusable(line.defect or Defect.BROKEN_FILE, limit=limit)
            value = load(line.content)
            if kind := bookkeeping(value, source is not None and source.is_log):
                self._count(kind).skipped += 1
                return
        except Exception as error:  # noqa: BLE001 - it goes to quarantine
            self._refuse(place, before, error)
            return
        if isinstance(value, list) and value:
            for item in value:
                self._take(item, replace(place), _MOST_NESTED)
        else:
            self._take(value, place, _MOST_NESTED)

    def _refuse(self, place: _Place, before: int, error: Exception) -> None:
        """Quarantine what failed, and take back what was spooled of it after row ``before``."""
        unusable = error if isinstance(error, Unusable) else fault_of_data(error)
        self._spool.reject_after(before)
        self._count(place.kind).quarantined += 1
        self._tell(place, unusable)

    def _tell(self, place: _Place, error: Unusable) -> None:
        self._spool.add_problem(
            place.file, place.line, place.reference, error.defect, **error.details
        )

    def _count(self, kind: str) -> TypeCounts:
        counts = self.counts[kind]
        counts.seen += 1
        return counts

    def _take(self, value: object, place: _Place, depth: int) -> None:
        """Take one resource, or each of a Bundle; what fails goes to quarantine."""
        before = self._spool.count
        try:
            resource = resource_of(value)
            kind = resource["resourceType"]
            if kind == "Bundle":
                place.kind = kind
                self._unpack(resource, place, depth)
            elif place.deleted:
                self._spool.add_deletion(deletion_of(resource))
                self._count(kind).left_out += 1
            elif kind not in USED_TYPES:
                self._count(kind).skipped += 1
            else:
                place.kind = kind
                self._spool_resource(resource, place)
        except Exception as error:  # noqa: BLE001 - it goes to quarantine
            self._refuse(place, before, error)

    def _unpack(self, bundle: Json, place: _Place, depth: int) -> None:
        if not depth:
            raise Unusable(Defect.TOO_DEEP)
        found = list(entries(bundle, place.deleted))
        self._count("Bundle").used += 1
        for entry in found:
            if isinstance(entry, Deletion):
                self._spool.add_deletion(entry)
            elif isinstance(entry, Unusable):
                self._tell(place, entry)
            else:
                self._take(entry, _Place(place.file, place.line), depth - 1)

    def _spool_resource(self, resource: Json, place: _Place) -> None:
        row = Row(place.file, place.line, place.kind, identity(resource), _updated(resource))
        place.reference = f"{row.type}/{row.id}"
        try:
            row.subsetted = _has_meta(resource, "tag", _SUBSETTED)
            self._attachments.fill(resource)
            self._reduce(resource, row)
        except Unusable as error:
            version = other_version(resource)
            if version is None or error.defect not in _OF_ANOTHER_VERSION:
                raise
            cause = error.defect.code
            raise Unusable(Defect.OTHER_VERSION, version=version, cause=cause) from None

    def _reduce(self, resource: Json, row: Row) -> None:
        try:
            # Read back as evidence, one run's findings would confirm themselves in the next.
            if _has_meta(resource, "security", _AI_ASSERTED):
                raise LeftOut
            if row.type in EVENT_REDUCERS:
                self._spool_events(resource, row)
            elif row.type in DOCUMENT_REDUCERS:
                self._spool_document(resource, row)
            elif row.type == "Patient":
                self._spool_patient(resource, row)
            elif row.type == "Medication":
                row.payload = CODINGS.dumps(codings(resource, "code"))
                self._spool.add(row)
            else:
                self._spool_binary(resource, row)
        except LeftOut:
            row.status = ResourceStatus.LEFT_OUT
            # A superseded document may have replaced an older one, which stays replaced.
            replaced: tuple[str, ...] = ()
            if resource.get("status") == "superseded":
                with contextlib.suppress(Unusable, LeftOut):
                    row.patient, replaced = patient_id(resource), replaced_by(resource)
            self._spool.add_replaced(self._spool.add(row), replaced)

    def _spool_events(self, resource: Json, row: Row) -> None:
        facts = EVENT_REDUCERS[row.type](resource, self._dates)
        row.patient, row.medication = facts.patient, facts.medication
        # Ends may be planned: the end of a prescription says nothing of when the export ends.
        row.latest = self._latest(*(e.start or e.recorded for e in facts.events))
        row.payload = EVENTS.dumps(facts.events)
        self._spool.add(row)

    def _spool_document(self, resource: Json, row: Row) -> None:
        document: Document = DOCUMENT_REDUCERS[row.type](resource, self._dates, self._limit)
        written = document.written
        row.patient = document.patient
        row.latest = self._latest(written and written.date())
        row.payload = json.dumps([written and written.isoformat(), document.kind])
        parts = list(document.parts)
        defective: list[Part] = []
        if all(part.binary is None for part in parts):
            parts, defective = choose(parts)
            row.notes = len(parts)
        n = self._spool.add(row)
        self._spool.add_parts(n, parts)
        self._spool.add_replaced(n, document.replaces)
        for part in defective:
            defect, details = defect_of_kept(part)
            self._spool.add_problem(row.file, row.line, f"{row.type}/{row.id}", defect, **details)

    def _spool_patient(self, resource: Json, row: Row) -> None:
        person = reduce_patient(resource, self._dates)
        row.payload = RECORD.dumps(person.record(row.id))
        self._spool.add_links(self._spool.add(row), links(resource))
        for defect in person.defects:
            self._spool.add_problem(row.file, row.line, f"Patient/{row.id}", defect)

    def _spool_binary(self, resource: Json, row: Row) -> None:
        """Keep a Binary's bytes until the document that refers to it is known."""
        media, encoded = string(resource, "contentType"), string(resource, "data")
        if encoded is None:
            encoded = string(resource, "content")  # STU3
        data: bytes | Unusable = Unusable(Defect.NO_DATA)
        if encoded is not None:
            try:
                data = decode_base64(encoded, self._limit)
            except Unusable as error:
                data = error
        self._spool.add_binary(self._spool.add(row), media, data)

    def _latest(self, *days: date | None) -> str | None:
        past = [day for day in days if day is not None and day <= self._dates.today]
        return max(past).isoformat() if past else None


def _updated(resource: Json) -> str:
    """``meta.lastUpdated`` as text that sorts by time; empty where absent or no instant."""
    moment = parse_moment(string(child(resource, "meta"), "lastUpdated") or "")
    return "" if moment is None else moment.at.astimezone(UTC).isoformat()


def _has_meta(resource: Json, field: str, codes: frozenset[tuple[str, str]]) -> bool:
    """Return whether a tag or label of a resource's ``meta`` is one of these codes."""
    if "meta" not in resource:
        return False
    return any(
        (item.get("system"), item.get("code")) in codes
        for item in children(child(resource, "meta"), field)
    )
