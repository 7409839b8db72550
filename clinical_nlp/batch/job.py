"""The nightly job: scan the export, read the notes, estimate the risk, write the results.

Memory does not grow with the export: the source yields one patient at a time, patients
are taken in groups just large enough to keep the workers busy, and the sinks stream.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from time import perf_counter

from clinical_nlp.batch.extraction import NoteFailure, NoteOutcome, NoteReader, NoteReading
from clinical_nlp.batch.isolation import estimate_each, note_problem, rows_lost, write_each
from clinical_nlp.batch.ports import PatientSource, ResultSink, RiskEstimator
from clinical_nlp.batch.run_record import RunOutcome
from clinical_nlp.batch.statistics import RunStatistics
from clinical_nlp.errors import InputError
from clinical_nlp.records import (
    DayCounts,
    Note,
    NoteFindings,
    PatientRecord,
    PatientResult,
    Problem,
    RunContext,
    SourceSummary,
)
from clinical_nlp.risk.index_day import IndexDay, find_index_day

#: Notes in a group: enough to amortise scoring and inter-process calls, few enough that a
#: group of long discharge letters stays within some tens of megabytes.
NOTES_PER_GROUP = 256
#: Patients in a group, for exports with few notes or none.
PATIENTS_PER_GROUP = 512


class JobProgress:
    """Receives the job's progress, and discards it; the command line draws bars from it."""

    def start(self, stage: str, total: int) -> None:
        """A stage begins; ``total`` is in the stage's own unit (bytes, patients)."""

    def advance(self, amount: int) -> None:
        """Some of the current stage is done."""


class Quarantine:
    """``quarantine.ndjson``: each resource that could not be used, with code and reason.

    Problems are written as they come and counted by code; none is kept in memory.

    Parameters
    ----------
    path
        File to write, one JSON object a line.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")
        self.codes: Counter[str] = Counter()

    def add(self, problem: Problem) -> None:
        """Write one problem."""
        self.codes[problem.code] += 1
        self._file.write(json.dumps(asdict(problem), ensure_ascii=False) + "\n")

    @property
    def total(self) -> int:
        """Problems written so far."""
        return self.codes.total()

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


ContextMaker = Callable[[date], RunContext]
SourceCheck = Callable[[SourceSummary], None]
SinkMaker = Callable[[RunContext], Sequence[ResultSink]]


def run(
    source: PatientSource,
    reader: NoteReader,
    estimator: RiskEstimator,
    make_context: ContextMaker,
    make_sinks: SinkMaker,
    quarantine: Quarantine,
    as_of: date | None = None,
    progress: JobProgress | None = None,
    check_source: SourceCheck = lambda summary: None,
) -> RunOutcome:
    """Run the job over an export.

    Parameters
    ----------
    source
        The export, already entered as a context manager.
    reader
        Reads notes into findings; already entered.
    estimator
        The risk model.
    make_context, make_sinks
        Called after the scan: outputs carry the day of the run, which is the export's
        last day (``clinical_nlp.risk.index_day``) unless ``as_of`` is given.
    quarantine
        Receives what could not be used: the source's problems, then the pipeline's.
    as_of
        The day the estimates refer to.
    progress
        Receives the bytes read, then the patients done.
    check_source
        Called after the scan; raises where the export should not be used.

    Returns
    -------
    RunOutcome
        Counts and timings; results went to the sinks, problems to the quarantine.

    Raises
    ------
    clinical_nlp.errors.InputError
        E260 where the export has no dated resource and ``as_of`` is not given.
    """
    progress = progress or JobProgress()
    began = perf_counter()
    progress.start("scan", source.size())
    summary = source.scan(progress.advance)
    scan_seconds = perf_counter() - began
    check_source(summary)
    day, disbelieved = _day_of_run(as_of, summary)
    context = make_context(day)
    outcome = RunOutcome(context, summary, RunStatistics(context), disbelieved=disbelieved)
    outcome.seconds["scan"] = scan_seconds
    for problem in source.problems():
        quarantine.add(problem)
    sinks: list[ResultSink] = [outcome.statistics, *make_sinks(context)]
    progress.start("patients", summary.patients)
    for group, notes in _read_groups(source, reader, quarantine, outcome):
        with outcome.timed("estimate"):
            estimates = estimate_each(estimator, list(zip(group, notes, strict=True)), day)
        with outcome.timed("write"):
            for record, found, estimate in zip(group, notes, estimates, strict=True):
                if isinstance(estimate, Problem):
                    quarantine.add(estimate)
                    continue
                for problem in write_each(sinks, PatientResult(record, found, estimate)):
                    quarantine.add(problem)
        progress.advance(len(group))
    with outcome.timed("write"):
        for sink in sinks:
            outcome.written.update(sink.close())
    for problem in (*source.problems(), *rows_lost(sinks)):
        quarantine.add(problem)
    outcome.failed_patients = summary.patients - outcome.statistics.patients["seen"]
    outcome.ended_workers = list(reader.ended_workers)
    outcome.quarantined = dict(sorted(quarantine.codes.items()))
    return outcome


def _day_of_run(
    as_of: date | None, summary: SourceSummary
) -> tuple[date, Mapping[date, DayCounts]]:
    """Return the day that the estimates speak of, and later days that are not believed."""
    index = IndexDay(as_of, {}) if as_of else find_index_day(summary.days)
    if index.day is None:
        raise InputError(
            "E260",
            "the export holds no dated resource, so the run has no day to speak of; "
            "give one with --as-of YYYY-MM-DD.",
        )
    return index.day, index.disbelieved


def _read_groups(
    source: PatientSource, reader: NoteReader, quarantine: Quarantine, outcome: RunOutcome
) -> Iterator[tuple[list[PatientRecord], list[tuple[NoteFindings, ...]]]]:
    """Yield groups of patients with their notes read, in the source's order."""
    groups: deque[list[PatientRecord]] = deque()  # read, their notes not yet returned

    def batches() -> Iterator[list[str]]:
        for group in _grouped(source.records()):
            groups.append(group)
            yield [note.text for record in group for note in record.notes]

    outcomes = reader.read(batches())
    while True:
        with outcome.timed("read_notes"):
            read = next(outcomes, None)
        if read is None:
            return
        group = groups.popleft()
        rest = iter(read)
        yield (
            group,
            [
                tuple(_note_findings(n, next(rest), quarantine, outcome) for n in record.notes)
                for record in group
            ],
        )


def _grouped(records: Iterator[PatientRecord]) -> Iterator[list[PatientRecord]]:
    group: list[PatientRecord] = []
    notes = 0
    for record in records:
        group.append(record)
        notes += len(record.notes)
        if notes >= NOTES_PER_GROUP or len(group) >= PATIENTS_PER_GROUP:
            yield group
            group, notes = [], 0
    if group:
        yield group


def _note_findings(
    note: Note, read: NoteOutcome, quarantine: Quarantine, outcome: RunOutcome
) -> NoteFindings:
    """Pair a note with its findings; one on which the pipeline failed goes to quarantine."""
    if isinstance(read, NoteFailure):
        outcome.failed_notes += 1
        quarantine.add(note_problem(note.source, read))
        read = NoteReading(())
    return NoteFindings(note, read.findings, read.mentions)
