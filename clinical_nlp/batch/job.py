"""The nightly job: scan the export, read the notes, estimate the risk, write the results.

Memory does not grow with the export: the source yields one patient at a time, patients
are taken in groups just large enough to keep the workers busy, and the sinks stream.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from time import perf_counter

from clinical_nlp.batch.extraction import NoteFailure, NoteOutcome, NoteReading
from clinical_nlp.batch.isolation import append_each, estimate_each, note_problem, write_each
from clinical_nlp.batch.ports import (
    NoCache,
    PatientSource,
    ResultCache,
    ResultSink,
    RiskEstimator,
    TextReader,
)
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
    RiskEstimate,
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
    reader: TextReader,
    estimator: RiskEstimator,
    make_context: ContextMaker,
    make_sinks: SinkMaker,
    quarantine: Quarantine,
    as_of: date | None = None,
    progress: JobProgress | None = None,
    check_source: SourceCheck = lambda summary: None,
    cache: ResultCache | None = None,
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
    cache
        What an earlier run made of each patient: those of whom nothing has changed are neither
        read nor estimated again.

    Returns
    -------
    RunOutcome
        Counts and timings; results went to the sinks, problems to the quarantine.

    Raises
    ------
    clinical_nlp.errors.InputError
        E260 where the export has no dated resource and ``as_of`` is not given.
    """
    progress, cache = progress or JobProgress(), cache or NoCache()
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
    cache.begin(context, [type(sink).__name__ for sink in sinks])
    progress.start("patients", summary.patients)
    for group in _read_groups(source, reader, quarantine, outcome, cache):
        new = [(case.record, case.notes) for case in group if case.parts is None]
        with outcome.timed("estimate"):
            estimates = estimate_each(estimator, new, day)
        with outcome.timed("write"):
            _write_group(group, estimates, sinks, quarantine, cache)
        progress.advance(len(group))
    with outcome.timed("write"):
        for sink in sinks:
            outcome.written.update(sink.close())
    for problem in source.problems():
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
    if index.day is None and not summary.patients:
        raise InputError(
            "E260",
            "the export holds no Patient that can be used, and what belongs to nobody cannot be "
            "read: export the type Patient, too.",
        )
    if index.day is None:
        raise InputError(
            "E260",
            "the export holds no dated resource, so the run has no day to speak of; "
            "give one with --as-of YYYY-MM-DD.",
        )
    return index.day, index.disbelieved


@dataclass(slots=True)
class _Case:
    """A patient on the way through the job.

    Parameters
    ----------
    parts
        Results kept of an earlier run; the notes are not read then.
    is_whole
        Whether every note could be read.
    """

    record: PatientRecord
    parts: Sequence[bytes] | None
    notes: tuple[NoteFindings, ...] = ()
    is_whole: bool = True

    @property
    def texts(self) -> list[str]:
        """Texts to be read."""
        return [] if self.parts is not None else [note.text for note in self.record.notes]


def _write_group(
    group: Sequence[_Case],
    estimates: Sequence[RiskEstimate | Problem],
    sinks: Sequence[ResultSink],
    quarantine: Quarantine,
    cache: ResultCache,
) -> None:
    """Write the results of a group, in order; ``estimates`` are of those that were read."""
    made = iter(estimates)
    for case in group:
        if case.parts is not None:
            append_each(sinks, case.parts)
        else:
            _write_new(case, next(made), sinks, quarantine, cache)
    cache.commit()


def _write_new(
    case: _Case,
    estimate: RiskEstimate | Problem,
    sinks: Sequence[ResultSink],
    quarantine: Quarantine,
    cache: ResultCache,
) -> None:
    """Write a patient's result; keep it where nothing of it failed."""
    if isinstance(estimate, Problem):
        quarantine.add(estimate)
        return
    result = PatientResult(case.record, case.notes, estimate)
    parts, problems = write_each(sinks, result, cache.keeps)
    for problem in problems:
        quarantine.add(problem)
    if case.is_whole and not problems:
        cache.put(case.record, parts)


def _read_groups(
    source: PatientSource,
    reader: TextReader,
    quarantine: Quarantine,
    outcome: RunOutcome,
    cache: ResultCache,
) -> Iterator[list[_Case]]:
    """Yield groups of patients with their notes read, in the source's order."""
    groups: deque[list[_Case]] = deque()  # their notes not yet returned

    def batches() -> Iterator[list[str]]:
        for group in _grouped(_Case(record, cache.get(record)) for record in source.records()):
            groups.append(group)
            yield [text for case in group for text in case.texts]

    outcomes = reader.read(batches())
    while True:
        with outcome.timed("read_notes"):
            read = next(outcomes, None)
        if read is None:
            return
        group = groups.popleft()
        rest = iter(read)
        for case in group:
            if case.parts is not None:
                continue
            own = [next(rest) for _ in case.record.notes]
            case.is_whole = not any(isinstance(each, NoteFailure) for each in own)
            case.notes = tuple(
                _note_findings(note, found, quarantine, outcome)
                for note, found in zip(case.record.notes, own, strict=True)
            )
        yield group


def _grouped(cases: Iterator[_Case]) -> Iterator[list[_Case]]:
    group: list[_Case] = []
    notes = 0
    for case in cases:
        group.append(case)
        notes += len(case.texts)
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
