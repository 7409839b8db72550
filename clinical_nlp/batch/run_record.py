"""``run.json``: what ran, on what, with what result. Counts and hashes, nobody's name."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from clinical_nlp.batch.job import RunOutcome
from clinical_nlp.batch.quarantine import Quarantine

#: Packages whose version can change a result.
_PACKAGES = ("spacy", "medspacy", "scikit-learn", "mlflow", "fhir.resources", "torch", "numpy")


def run_record(outcome: RunOutcome, quarantine: Quarantine, peak_rss_mib: float) -> dict[str, Any]:
    """Gather the record of a run.

    Parameters
    ----------
    outcome
        What the job did.
    quarantine
        What it could not use.
    peak_rss_mib
        Peak resident memory of the process and its workers, in MiB.

    Returns
    -------
    dict
        JSON-ready. The only place where the clock of the machine appears: ``finished``
        and ``seconds`` differ from run to run, everything else is repeatable.
    """
    source = outcome.source
    return {
        "as_of": outcome.context.as_of.isoformat(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "clinical-nlp": outcome.context.software,
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "pipeline": outcome.context.pipeline,
        "model": asdict(outcome.context.model),
        "worklist_threshold": outcome.context.worklist_threshold,
        "input": {
            "digest": source.digest,
            "lines": source.lines,
            "adds_up": source.lines == sum(t.seen for t in source.types.values())
            and all(t.adds_up() for t in source.types.values()),
            "types": {name: asdict(counts) for name, counts in sorted(source.types.items())},
            "patients": source.patients,
            "notes": {name: outcome.notes[name] for name in NOTE_COUNTS},
        },
        "quarantined": dict(sorted(quarantine.codes.items())),
        "written": dict(sorted(outcome.written.items())),
        "seconds": {stage: round(s, 3) for stage, s in outcome.seconds.items()},
        "peak_rss_mib": round(peak_rss_mib, 1),
    }


#: Counts of notes, in the order in which they narrow.
NOTE_COUNTS = ("read", "with_text", "with_findings", "failed")


def write_run_record(path: Path, record: dict[str, Any]) -> None:
    """Write the record, indented for people."""
    path.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
