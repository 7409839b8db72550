"""What the nightly job needs from the outside: a place patients come from, places results go.

The job knows only these protocols; the command line plugs ``fhir_adapters`` into them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType
from typing import Protocol, Self

from clinical_nlp.records import PatientRecord, PatientResult, Problem, RiskEstimate
from clinical_nlp.records.result import NoteFindings


@dataclass(slots=True)
class TypeCounts:
    """Where every line of one resource type went; the parts add up to ``seen``.

    Parameters
    ----------
    seen
        Lines of the export of this type.
    used
        Took part in a patient's record.
    skipped
        Of a type that the job does not use.
    left_out
        Of a used type, rightly not used: superseded, entered in error, no note inside.
    duplicate
        Same type and id as one already taken.
    quarantined
        Could not be used; each has a line in the quarantine.
    """

    seen: int = 0
    used: int = 0
    skipped: int = 0
    left_out: int = 0
    duplicate: int = 0
    quarantined: int = 0

    def adds_up(self) -> bool:
        """True where nothing was lost."""
        parts = self.used + self.skipped + self.left_out + self.duplicate + self.quarantined
        return self.seen == parts


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """What a scan of the export found.

    Parameters
    ----------
    types
        Counts by resource type (``"?"`` for lines whose type cannot be read).
    lines
        Non-empty lines read, all files together.
    patients, notes
        Patients that will be yielded, and their notes.
    latest
        Latest clinical date in the export, future dates aside; the default day of the run.
    digest
        Hex SHA-256 over the export's decoded lines, whatever the order of files.
    """

    types: Mapping[str, TypeCounts] = field(default_factory=dict)
    lines: int = 0
    patients: int = 0
    notes: int = 0
    latest: date | None = None
    digest: str = ""


class PatientSource(Protocol):
    """An export of patients. Used once: ``scan``, then ``records``."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def size(self) -> int:
        """Bytes on disk that ``scan`` will read, for the progress bar."""
        ...

    def scan(self, progress: Callable[[int], None]) -> SourceSummary:
        """Read everything once; ``progress`` takes the bytes read since its last call."""
        ...

    def records(self) -> Iterator[PatientRecord]:
        """Yield the patients in order of id, one in memory at a time."""
        ...

    def problems(self) -> Iterator[Problem]:
        """Yield what could not be used, in order of (file, line)."""
        ...


class ResultSink(Protocol):
    """A place results are written to, patient by patient."""

    def write(self, result: PatientResult) -> None:
        """Take one patient's result."""
        ...

    def close(self) -> Mapping[str, int]:
        """Finish the files; return how many rows or resources went to each."""
        ...


class RiskEstimator(Protocol):
    """A risk model, ready to score."""

    def estimate(
        self, patients: Sequence[tuple[PatientRecord, tuple[NoteFindings, ...]]], as_of: date
    ) -> list[RiskEstimate]:
        """Score patients as of a day, in the order given."""
        ...
