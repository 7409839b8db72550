"""``run.json``: versions, input, model and counts of a run; no patient data."""

from __future__ import annotations

import json
import platform
import resource
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from clinical_nlp.batch.job import RunOutcome
from clinical_nlp.batch.quarantine import Quarantine
from clinical_nlp.batch.sinks.report import RunSummary
from clinical_nlp.registry import ResolvedModel

#: Packages whose version can change a result.
_PACKAGES = ("spacy", "medspacy", "scikit-learn", "mlflow", "fhir.resources", "torch", "numpy")


def run_summary(
    outcome: RunOutcome,
    quarantine: Quarantine,
    resolved: ResolvedModel,
    energy: Mapping[str, Any],
    processes: int,
) -> RunSummary:
    """Collect what the report and the record say of a run besides its results.

    Parameters
    ----------
    outcome
        What the job counted and timed.
    quarantine
        What could not be used.
    resolved
        The risk model.
    energy
        ``kwh``, ``co2_kg``, ``seconds``, ``cpu_seconds``, ``method``.
    processes
        Processes that read notes.
    """
    return RunSummary(
        context=outcome.context,
        source=outcome.source,
        seconds=outcome.seconds,
        quarantined=dict(sorted(quarantine.codes.items())),
        peak_rss_mib=_peak_rss_mib(processes),
        failed_notes=outcome.failed_notes,
        resolution=resolved.resolution(),
        energy=energy,
        versions={
            "clinical-nlp": outcome.context.software,
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
    )


def write_run_record(path: Path, summary: RunSummary, outcome: RunOutcome) -> None:
    """Write the record of a run, indented for people.

    The only output in which the machine's clock appears: ``finished``, ``seconds``,
    ``peak_rss_mib``, ``energy`` and when the model was ``verified`` differ from run to run,
    everything else is repeatable.
    """
    source, statistics = summary.source, outcome.statistics
    record = {
        "as_of": summary.context.as_of.isoformat(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": dict(summary.versions),
        "pipeline": summary.context.pipeline,
        "model": {**asdict(summary.context.model), **summary.resolution},
        "worklist_threshold": summary.context.worklist_threshold,
        "input": {
            "digest": source.digest,
            "lines": source.lines,
            "adds_up": source.adds_up(),
            "types": {name: asdict(counts) for name, counts in sorted(source.types.items())},
            "patients": source.patients,
            "notes": source.notes,
        },
        "patients": dict(statistics.patients),
        "abstentions": dict(sorted(statistics.abstentions.items())),
        "notes": dict(statistics.notes) | {"failed": summary.failed_notes},
        "findings": dict(statistics.findings),
        "quarantined": dict(summary.quarantined),
        "written": dict(sorted(outcome.written.items())),
        "seconds": {stage: round(s, 3) for stage, s in summary.seconds.items()},
        "peak_rss_mib": summary.peak_rss_mib and round(summary.peak_rss_mib, 1),
        "energy": dict(summary.energy) or None,
    }
    path.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _peak_rss_mib(processes: int) -> float:
    """Peak resident memory of this process and its workers, in MiB: an upper bound."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if processes > 1:
        # The system keeps the largest child's peak, not each one's.
        peak += processes * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / 1024
