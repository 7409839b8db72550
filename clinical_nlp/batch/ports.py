"""Interfaces of the nightly job: the source of patients, the sinks of results, the model.

The job knows only these protocols; the command line plugs ``fhir_adapters`` into them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeAlias

from clinical_nlp.batch.extraction import NoteOutcome
from clinical_nlp.records import (
    NoteFindings,
    PatientRecord,
    PatientResult,
    Problem,
    RiskEstimate,
    RunContext,
    SourceSummary,
)

#: What a sink makes of a patient: of a type of its own.
Rendered: TypeAlias = Any


class PatientSource(Protocol):
    """An export of patients. Used once: ``scan``, then ``records``."""

    def size(self) -> int:
        """Bytes on disk that ``scan`` will read, for the progress bar."""
        ...

    def scan(self, progress: Callable[[int], None]) -> SourceSummary:
        """Read everything once; ``progress`` receives the bytes read since its last call."""
        ...

    def records(self) -> Iterator[PatientRecord]:
        """Yield the patients in order of id, one in memory at a time."""
        ...

    def problems(self) -> Iterator[Problem]:
        """Yield what could not be used and was not yielded before, by file and line."""
        ...


class ResultSink(Protocol):
    """A place results are written to, patient by patient: each as a whole or not at all.

    Writing has two steps. What :meth:`render` makes of a patient depends on the patient and the
    run alone, so that a later run may append it again (:mod:`clinical_nlp.batch.state`).
    """

    def render(self, result: PatientResult) -> Rendered:
        """Return what is to be appended for one patient."""
        ...

    def append(self, rendered: Rendered) -> None:
        """Write what :meth:`render` returned."""
        ...

    def dump(self, rendered: Rendered) -> bytes:
        """Return what :meth:`render` returned as bytes, for :meth:`load`."""
        ...

    def load(self, data: bytes) -> Rendered:
        """Read what :meth:`dump` wrote."""
        ...

    def close(self) -> Mapping[str, int]:
        """Finish the files; return the number of rows or resources in each."""
        ...


class TextReader(Protocol):
    """Reads the texts of notes."""

    def read(self, batches: Iterable[Sequence[str]]) -> Iterator[list[NoteOutcome]]:
        """Yield the outcomes of each batch, in the order of the batches."""
        ...

    @property
    def ended_workers(self) -> list[str]:
        """How each worker process that did not end by itself ended."""
        ...


class ResultCache(Protocol):
    """What a run made of each patient, kept for the next one."""

    @property
    def keeps(self) -> bool:
        """Whether anything is kept at all."""
        ...

    def begin(self, context: RunContext, outputs: Sequence[str]) -> None:
        """Begin a run; ``outputs`` names the sinks, in order."""
        ...

    def get(self, record: PatientRecord) -> Sequence[bytes] | None:
        """Return the parts kept, one a sink; ``None`` where anything has changed."""
        ...

    def put(self, record: PatientRecord, parts: Sequence[bytes]) -> None:
        """Keep a patient's parts, asked for before."""
        ...

    def commit(self) -> None:
        """Bring what was put to the disk."""
        ...


class NoCache:
    """Keeps nothing."""

    keeps = False

    def begin(self, context: RunContext, outputs: Sequence[str]) -> None:
        """Do nothing."""

    def get(self, record: PatientRecord) -> Sequence[bytes] | None:
        """Return ``None``."""
        return None

    def put(self, record: PatientRecord, parts: Sequence[bytes]) -> None:
        """Do nothing."""

    def commit(self) -> None:
        """Do nothing."""


class RiskEstimator(Protocol):
    """A risk model, ready to score."""

    def estimate(
        self, patients: Sequence[tuple[PatientRecord, tuple[NoteFindings, ...]]], as_of: date
    ) -> list[RiskEstimate]:
        """Score patients as of a day, in the order given."""
        ...
