"""The command over mutated lines, as a process of its own: it ends as it says it does."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from studies.mutated_resources import base_resources, line_of

EXIT_CODES = {0, 3}  # all read, or some in quarantine


@pytest.mark.slow
def test_batch_over_mutated_lines_ends_with_a_code_of_its_own(tmp_path: Path) -> None:
    rng, resources = random.Random(41), base_resources()
    lines = [line_of(rng, resource) for resource in resources]
    while len(lines) < 5_000:
        lines += [line_of(rng, resource) for resource in resources]
    export, out = tmp_path / "export.ndjson", tmp_path / "out"
    export.write_bytes(b"\n".join(lines) + b"\n")
    script = str(Path(sys.executable).parent / "clinical-nlp")
    command = [script, "batch", str(export), "--out", str(out)]
    day = ["--as-of", "2024-06-28", "--threshold", "0.01", "--quiet"]
    done = subprocess.run(
        [*command, *day],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path)},
        check=False,
        timeout=600,
    )
    assert done.returncode in EXIT_CODES, done.stderr
    assert "E999" not in done.stderr and "Traceback" not in done.stderr
    assert f"Exit code {done.returncode}" in done.stderr or done.returncode == 0
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["input"]["adds_up"] and "E999" not in record["quarantined"]
