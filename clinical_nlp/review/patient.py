"""One patient under review: estimate, notes with findings, timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from clinical_nlp.errors import InputError
from clinical_nlp.lexicon import Lexicon, load_lexicon
from clinical_nlp.records import NoteFindings, PatientRecord, RiskEstimate
from clinical_nlp.review.output import BatchOutput, ChangedNote
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.risk.timeline_builder import build_timeline


class RecordSource(Protocol):
    """Source of patient records: the export that the batch read."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def scan(self, progress: Callable[[int], None]) -> object:
        """Read the export once; must precede :meth:`records`."""
        ...

    def records(self) -> Iterator[PatientRecord]:
        """Yield the patients one by one."""
        ...


@dataclass(frozen=True, slots=True)
class PatientReview:
    """A patient to review.

    Parameters
    ----------
    record
        The patient's record, from the export.
    estimate
        The batch's estimate.
    notes
        Notes with their findings, newest first.
    changed
        Notes whose text has changed since the batch.
    timeline
        The timeline that the risk model used.
    """

    record: PatientRecord
    estimate: RiskEstimate
    notes: tuple[NoteFindings, ...]
    changed: tuple[ChangedNote, ...]
    timeline: Timeline


def open_patient(
    batch: BatchOutput, source: RecordSource, patient_id: str, lexicon: Lexicon | None = None
) -> PatientReview:
    """Collect a patient's estimate, notes and timeline.

    Parameters
    ----------
    batch
        The batch's output.
    source
        The export that the batch read; consumed by this call.
    patient_id
        The patient.
    lexicon
        Maps codes to concepts; the package's own by default.

    Raises
    ------
    clinical_nlp.errors.InputError
        E252: the batch holds no such patient; E253: the export does not.
    """
    estimate = batch.estimate(patient_id)
    record = _record(source, patient_id)
    notes, changed = batch.on_notes(patient_id, record.notes)
    timeline = build_timeline(record, notes, lexicon or load_lexicon(), batch.as_of)
    return PatientReview(record, estimate, tuple(reversed(notes)), changed, timeline)


def _record(source: RecordSource, patient_id: str) -> PatientRecord:
    with source:
        source.scan(lambda _: None)
        for record in source.records():
            if record.id == patient_id:
                return record
    raise InputError(
        "E253",
        "the patient is in the batch's output but not in this export; "
        "name the export that the batch read.",
    )
