"""A FHIR R4 Bulk Data export as a source of patients."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

from clinical_nlp.records import (
    CodedEvent,
    DayCounts,
    Note,
    PatientRecord,
    Problem,
    SourceSummary,
    TypeCounts,
)
from clinical_nlp.records.codec import CODINGS, EVENTS, RECORD
from fhir_adapters.reading.attachment_files import AttachmentFiles
from fhir_adapters.reading.concept_map import ConceptMap
from fhir_adapters.reading.dates import Dates
from fhir_adapters.reading.defects import Defect, Unusable
from fhir_adapters.reading.digest import MultisetDigest
from fhir_adapters.reading.files import Listing, export_files
from fhir_adapters.reading.intake import Intake
from fhir_adapters.reading.lines import read_lines
from fhir_adapters.reading.resolution import resolve_references
from fhir_adapters.reading.spool import ResourceStatus, Spool, fault_of_data

#: Most bytes of an attachment; larger ones are no notes (a scanned book, a core dump).
MAX_NOTE_BYTES = 10_000_000
#: Most bytes of a line that is parsed; several times the largest note in base64.
MAX_LINE_BYTES = 64_000_000


class BulkExport:
    """Patients of a FHIR R4 Bulk Data export; satisfies the batch's ``PatientSource``.

    Used once, as a context: ``scan`` reads every file and spools what is used, reduced, to
    a private temporary database; ``records`` then yields the patients one by one. Memory
    is that of one line and one patient, whatever the size of the export.

    Parameters
    ----------
    folder
        The folder of the export's files, or one such file (``files.py``).
    spool
        Folder for the temporary database, which holds patient text; the system's temporary
        folder where ``None``.
    today
        Later dates are errors; the machine's day where ``None``.
    max_note_bytes, max_line_bytes
        Larger attachments, or longer lines, are quarantined.
    concept_map
        Adds standard codes to the service's own.

    Raises
    ------
    clinical_nlp.errors.InputError
        On entering: E200-E202, the folder does not exist, holds nothing to read, or is refused.

    Examples
    --------
    >>> with BulkExport(Path("export"), spool=None) as export:  # doctest: +SKIP
    ...     summary = export.scan(lambda read: None)
    ...     for record in export.records():
    ...         print(record.id, len(record.notes))
    """

    def __init__(
        self,
        folder: Path,
        spool: Path | None = None,
        *,
        today: date | None = None,
        max_note_bytes: int = MAX_NOTE_BYTES,
        max_line_bytes: int = MAX_LINE_BYTES,
        concept_map: ConceptMap | None = None,
    ) -> None:
        self._folder = folder
        self._spool_folder = spool
        self._today = today or datetime.now().astimezone().date()
        self._max_note_bytes = max_note_bytes
        self._max_line_bytes = max_line_bytes
        self._map = concept_map or ConceptMap({})
        self._listing = Listing()
        self._open_spool: Spool | None = None

    def __enter__(self) -> Self:
        self._listing = export_files(self._folder)
        self._open_spool = Spool(self._spool_folder)
        return self

    def __exit__(self, *failure: object) -> None:
        if self._open_spool is not None:
            self._open_spool.close()
            self._open_spool = None

    def size(self) -> int:
        """Bytes on disk that ``scan`` will read."""
        return sum(file.size for file in self._listing.files)

    def scan(self, progress: Callable[[int], None]) -> SourceSummary:
        """Read everything once and decide every resource's status.

        Parameters
        ----------
        progress
            Called with the bytes read from disk (as compressed there) since its last call.

        Raises
        ------
        clinical_nlp.errors.InputError
            E202: the system cannot read a file. E222: the temporary database cannot grow.
        """
        attachments = AttachmentFiles(self._listing.attachments, self._max_note_bytes)
        limits = self._max_note_bytes, self._max_line_bytes
        intake = Intake(self._spool, Dates(self._today), *limits, attachments)
        digest = MultisetDigest()
        numbers = {name: number for number, name in enumerate(self._listing.names)}
        try:
            for name, defect in self._listing.unread.items():
                if defect is not None:
                    self._spool.add_problem(numbers[name], 0, None, defect)
            for file in self._listing.files:
                for line in read_lines(file, self._max_line_bytes, progress):
                    if line.digest is not None:
                        digest.add(line.digest)
                    intake.add(numbers[file.name], line, file)
            resolve_references(self._spool)
            return self._summary(intake, digest)
        except sqlite3.Error as error:
            Defect.NO_SPOOL.stop(path=self._spool.folder, cause=error)

    def records(self) -> Iterator[PatientRecord]:
        """Yield the patients in order of id, one in memory at a time."""
        rows = self._spool.db.execute(
            "SELECT n, id, payload FROM resource WHERE type = 'Patient' AND status = 0 ORDER BY id"
        )
        for n, patient, payload in rows:
            try:
                record = RECORD.loads(payload)
                notes, events = self._notes_and_events(patient)
            except Exception as error:  # noqa: BLE001 - the patient goes to quarantine
                self._add_problem(n, fault_of_data(error))
                continue
            yield replace(
                record,
                notes=tuple(sorted(notes, key=_note_order)),
                events=tuple(sorted(events, key=_event_order)),
            )

    def places(self) -> dict[str, int]:
        """Return the place of each patient's Patient in the export, by id.

        Places count the resources in the order of reading: file by file, line by line.
        ``records`` goes by id and hides whether an export lists its cases first.
        """
        rows = self._spool.db.execute(
            "SELECT id, n FROM resource WHERE type = 'Patient' AND status = 0"
        )
        return dict(rows.fetchall())

    def coded_events(self) -> Iterator[tuple[str, CodedEvent]]:
        """Yield every coded event with the id of its patient, without reading any note.

        What cannot be read is passed over here; ``records`` quarantines it.
        """
        rows = self._spool.db.execute(
            "SELECT r.patient, r.payload, m.payload FROM resource AS r"
            " LEFT JOIN resource AS m"
            " ON m.type = 'Medication' AND m.id = r.medication AND m.status = 0"
            " WHERE r.status = 0 AND r.notes = 0 AND r.patient IS NOT NULL"
            " AND r.type NOT IN ('Patient', 'Medication', 'Binary')"
        )
        for patient, payload, drug in rows:
            try:
                events = self._events(payload, drug)
            except Exception as error:  # noqa: BLE001 - quarantined when the patient is read
                fault_of_data(error)
                continue
            for event in events:
                yield patient, event

    def problems(self) -> Iterator[Problem]:
        """Yield what could not be used, in order of (file, line).

        Each is yielded once: asked again after ``records``, it yields what failed there.
        """
        return self._spool.problems(self._listing.names)

    @property
    def _spool(self) -> Spool:
        if self._open_spool is None:
            raise RuntimeError("BulkExport is used as a context: with BulkExport(...) as export")
        return self._open_spool

    def _summary(self, intake: Intake, digest: MultisetDigest) -> SourceSummary:
        types: defaultdict[str, TypeCounts] = defaultdict(TypeCounts, intake.counts)
        db = self._spool.db
        for kind, status, count in db.execute(
            "SELECT type, status, count(*) FROM resource GROUP BY type, status"
        ):
            counts = types[kind]
            counts.seen += count
            name = ResourceStatus(status).name.lower()  # a field of TypeCounts
            setattr(counts, name, getattr(counts, name) + count)
        (notes,) = db.execute("SELECT total(notes) FROM resource WHERE status = 0").fetchone()
        days = db.execute(
            "SELECT latest, count(DISTINCT patient), count(*) FROM resource"
            " WHERE status = 0 AND latest IS NOT NULL GROUP BY latest"
        )
        return SourceSummary(
            types=dict(sorted(types.items())),
            lines=sum(counts.seen for counts in types.values()),
            patients=types["Patient"].used if "Patient" in types else 0,
            notes=int(notes),
            days={date.fromisoformat(day): DayCounts(*counts) for day, *counts in days},
            digest=digest.hexdigest(),
            files=self._listing.counts(),
        )

    def _notes_and_events(self, patient: str) -> tuple[list[Note], list[CodedEvent]]:
        notes: list[Note] = []
        events: list[CodedEvent] = []
        rows = self._spool.db.execute(
            "SELECT r.n, r.type || '/' || r.id, r.notes, r.payload, m.payload FROM resource AS r"
            " LEFT JOIN resource AS m"
            " ON m.type = 'Medication' AND m.id = r.medication AND m.status = 0"
            " WHERE r.patient = ? AND r.status = 0 ORDER BY r.n",
            (patient,),
        )
        for n, source, parts, payload, drug in rows.fetchall():
            try:
                if parts:
                    notes.extend(list(self._notes(n, source, patient, payload)))
                else:
                    events.extend(self._events(payload, drug))
            except Exception as error:  # noqa: BLE001 - the resource goes to quarantine
                self._add_problem(n, fault_of_data(error))
        return notes, events

    def _events(self, payload: str, drug: str | None) -> list[CodedEvent]:
        codings = CODINGS.loads(drug) if drug else ()
        events = [
            event if event.codings else replace(event, codings=codings)
            for event in EVENTS.loads(payload)
        ]
        return [self._map.translate_event(event) for event in events]

    def _add_problem(self, n: int, error: Unusable) -> None:
        """Quarantine resource ``n``, which was counted as used."""
        file, line, reference = self._spool.db.execute(
            "SELECT file, line, type || '/' || id FROM resource WHERE n = ?", (n,)
        ).fetchone()
        self._spool.add_problem(file, line, reference, error.defect, **error.details)

    def _notes(self, n: int, source: str, patient: str, head: str) -> Iterator[Note]:
        written, kind = json.loads(head)
        for number, part in enumerate(self._spool.parts(n)):
            yield Note(
                source=source,
                patient_id=patient,
                text=part.text or "",
                written=written and datetime.fromisoformat(written),
                language=part.language,
                kind=kind,
                part=number,
            )


def _note_order(note: Note) -> tuple[datetime, str]:
    return note.written or datetime.min.replace(tzinfo=UTC), note.key


def _event_order(event: CodedEvent) -> tuple[date, str]:
    return event.start or date.min, event.source
