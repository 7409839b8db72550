"""Real case reports and Synthea's patients, whole: nothing lost, nothing invalid."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., subprocess.CompletedProcess[str]]


def run_record(shared: Path, tmp_path: Path, cli: Cli, name: str, code: int = 0) -> dict[str, Any]:
    """Run the batch over a shared export, validate what it wrote, return ``run.json``."""
    cli("batch", str(shared / "data" / name), "--out", "out", "--quiet", cwd=tmp_path, code=code)
    if shutil.which("node") is not None:
        files = sorted((tmp_path / "out" / "fhir").glob("*.ndjson"))
        validator = shared / "tools" / "fhir-validate" / "fhir-validate"
        done = subprocess.run(
            [validator, "--summary", *files], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-1000:]
        assert " 0 with errors" in done.stdout + done.stderr, "the validator must have run"
    record: dict[str, Any] = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["input"]["adds_up"]
    assert record["quarantined"] == {}
    return record


@pytest.mark.shared
def test_batch_reads_case_reports_export(shared: Path, tmp_path: Path, cli: Cli) -> None:
    # Nobody can be on the work list, which has an exit code of its own.
    record = run_record(shared, tmp_path, cli, "case-reports-export", code=8)
    assert record["input"]["lines"] == 2 * 1258
    assert record["notes"]["seen"] == record["notes"]["with_text"] == 1258
    assert record["notes"]["failed"] == 0
    # No patient has a birth date: everyone not diagnosed must be abstained from.
    assert record["patients"]["scored"] == 0


@pytest.mark.shared
def test_batch_reads_synthea_export(shared: Path, tmp_path: Path, cli: Cli) -> None:
    record = run_record(shared, tmp_path, cli, "synthea-export")
    assert record["input"]["types"]["Observation"]["seen"] == 88_674
    assert record["patients"]["seen"] == 615
    # SNOMED CT 88805009 stands in the problem list of 49 patients.
    assert record["patients"]["diagnosed"] == 49
    assert record["patients"]["scored"] > 200
