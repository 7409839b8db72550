"""Interfaces of the nightly job: the source of patients, the sinks of results, the model.

The job knows only these protocols; the command line plugs ``fhir_adapters`` into them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from clinical_nlp.records import (
    NoteFindings,
    PatientRecord,
    PatientResult,
    Problem,
    RiskEstimate,
    SourceSummary,
)


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
    """A place results are written to, patient by patient: each as a whole or not at all."""

    def write(self, result: PatientResult) -> None:
        """Write one patient's result."""
        ...

    def close(self) -> Mapping[str, int]:
        """Finish the files; return the number of rows or resources in each."""
        ...


class RiskEstimator(Protocol):
    """A risk model, ready to score."""

    def estimate(
        self, patients: Sequence[tuple[PatientRecord, tuple[NoteFindings, ...]]], as_of: date
    ) -> list[RiskEstimate]:
        """Score patients as of a day, in the order given."""
        ...
