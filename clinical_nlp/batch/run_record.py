"""``run.json``: versions, input, model and counts of a run; no patient data."""

from __future__ import annotations

import json
import platform
import resource
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from clinical_nlp.batch.alerts import Alert
from clinical_nlp.batch.statistics import RunStatistics
from clinical_nlp.records import DayCounts, RunContext, SourceSummary
from clinical_nlp.registry import ResolvedModel

#: Packages whose version can change a result.
_PACKAGES = ("spacy", "medspacy", "scikit-learn", "mlflow", "fhir.resources", "torch", "numpy")


@dataclass(slots=True)
class RunOutcome:
    """Counts, timings and other facts of a run, for ``run.json`` and the report.

    Parameters
    ----------
    context
        What all outputs share.
    source
        Counts of the scan.
    statistics
        Counts of the results.
    seconds
        Wall time by stage: ``scan``, ``read_notes``, ``estimate``, ``write``.
    written
        Rows or resources by output.
    failed_notes
        Notes on which the pipeline failed; they are in the quarantine.
    failed_patients
        Patients whose record or estimate failed; they are in the quarantine and in no output.
    ended_workers
        How each process that was killed while it read notes ended (``"signal 9"``).
    quarantined
        Problems by error code.
    peak_rss_mib
        Peak resident memory in MiB; ``None`` where not measured.
    versions
        Versions of the packages that can change a result.
    resolution
        How the model was found: ``asked``, ``source`` and ``verified``. A ``source`` other
        than ``"registry"`` is shown at the top of the report.
    reader
        Digest of the learned reader; ``None`` where the rules alone have read.
    energy
        ``kwh``, ``co2_kg`` and ``method``; empty where not measured.
    disbelieved
        Days after the end of the export, whose dates are taken as mistyped.
    codes
        What is recognised of the export's codes (``risk.code_report``).
    completeness
        How the export compares with that of the night before (``batch.completeness``).
    state
        Notes that were read, and patients whose results of an earlier run stand; ``None``
        without ``--state``.
    alerts
        What a person should look at before the results are used.
    outputs
        SHA-256 of each file of the results, by relative path.
    """

    context: RunContext
    source: SourceSummary
    statistics: RunStatistics
    seconds: dict[str, float] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    failed_notes: int = 0
    failed_patients: int = 0
    ended_workers: Sequence[str] = ()
    quarantined: Mapping[str, int] = field(default_factory=dict)
    peak_rss_mib: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    resolution: Mapping[str, str] = field(default_factory=dict)
    reader: str | None = None
    energy: Mapping[str, Any] = field(default_factory=dict)
    disbelieved: Mapping[date, DayCounts] = field(default_factory=dict)
    codes: Mapping[str, Any] = field(default_factory=dict)
    completeness: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, int] | None = None
    alerts: Sequence[Alert] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the wall time of a block to a stage."""
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - began


def add_facts(
    outcome: RunOutcome, resolved: ResolvedModel, energy: Mapping[str, Any], processes: int
) -> None:
    """Add to a run's counts which model, versions, memory and energy made them.

    Parameters
    ----------
    energy
        ``kwh``, ``co2_kg``, ``seconds``, ``cpu_seconds``, ``method``.
    processes
        Processes that read notes.
    """
    outcome.peak_rss_mib = _peak_rss_mib(processes)
    outcome.resolution = resolved.resolution()
    outcome.energy = energy
    outcome.versions = {
        "clinical-nlp": outcome.context.software,
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def write_run_record(path: Path, outcome: RunOutcome) -> None:
    """Write the record of a run, indented for people.

    The only output in which the machine's clock appears: ``finished``, ``seconds``,
    ``peak_rss_mib``, ``energy`` and when the model was ``verified`` differ from run to run,
    everything else is repeatable.
    """
    context, source, statistics = outcome.context, outcome.source, outcome.statistics
    record = {
        "as_of": context.as_of.isoformat(),
        "alerts": [{"code": alert.code, "message": alert.message} for alert in outcome.alerts],
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": dict(outcome.versions),
        "pipeline": context.pipeline,
        "reader": outcome.reader,
        "model": {**asdict(context.model), **outcome.resolution},
        "worklist_threshold": context.worklist_threshold,
        "input": {
            "digest": source.digest,
            "lines": source.lines,
            "files": asdict(source.files),
            "adds_up": source.adds_up(),
            "types": {name: asdict(counts) for name, counts in sorted(source.types.items())},
            "patients": source.patients,
            "notes": source.notes,
            "days_not_believed": {
                str(day): asdict(counts) for day, counts in outcome.disbelieved.items()
            },
        },
        "completeness": dict(outcome.completeness),
        "state": outcome.state and dict(outcome.state),
        "codes": dict(outcome.codes),
        "patients": dict(statistics.patients) | {"failed": outcome.failed_patients},
        "abstentions": dict(sorted(statistics.abstentions.items())),
        "notes": dict(statistics.notes) | {"failed": outcome.failed_notes},
        "findings": dict(statistics.findings),
        "quarantined": dict(outcome.quarantined),
        "outputs": dict(outcome.outputs),
        "written": dict(sorted(outcome.written.items())),
        "ended_workers": list(outcome.ended_workers),
        "seconds": {stage: round(s, 3) for stage, s in outcome.seconds.items()},
        "peak_rss_mib": outcome.peak_rss_mib and round(outcome.peak_rss_mib, 1),
        "energy": dict(outcome.energy) or None,
    }
    path.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _peak_rss_mib(processes: int) -> float:
    """Peak resident memory of this process and its workers, in MiB: an upper bound."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if processes > 1:
        # The system keeps the largest child's peak, not each one's.
        peak += processes * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / 1024
