"""A night with a state says what a full run says, whatever changed and whenever it was killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Here = Callable[..., int]
OPTIONS = ("--quiet", "--no-reader", "--threshold", "0", "--accept-drop")


def outputs(out: Path) -> dict[str, str]:
    """SHA-256 of every output but the report, which names the time."""
    digests: dict[str, str] = json.loads((out / "run.json").read_text())["outputs"]
    return {name: digest for name, digest in digests.items() if name != "report.html"}


def state_of(out: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((out / "run.json").read_text())["state"]
    return state


def change(export: Path, rng: random.Random) -> None:
    """Change some notes, remove a patient's others, add a condition: as a day does."""
    for path in sorted(export.glob("*.ndjson")):
        lines = path.read_text("utf-8").splitlines()
        if path.name.startswith("Encounter"):
            lines = lines[: max(1, len(lines) - rng.randint(0, 3))]
        if path.name.startswith("DocumentReference"):
            for _ in range(2):
                at = rng.randrange(len(lines))
                document = json.loads(lines[at])
                document["status"] = "entered-in-error"
                lines[at] = json.dumps(document)
        path.write_text("\n".join(lines) + "\n", "utf-8")


def test_nights_with_a_state_equal_full_runs(tmp_path: Path, here: Here) -> None:
    assert here("simulate", "--patients", "12", "--seed", "9", "export") == 0
    export, rng = tmp_path / "export", random.Random(1)
    seen = []
    for night in range(4):
        if night == 2:
            change(export, rng)
        options = (*OPTIONS, "--as-of", "2024-12-30") if night == 3 else OPTIONS
        kept = here("batch", "export", "--out", "kept", "--state", "state", *options)
        full = here("batch", "export", "--out", "full", *options)
        assert kept == full
        assert outputs(tmp_path / "kept") == outputs(tmp_path / "full")
        report = [(tmp_path / o / "report.html").read_text("utf-8") for o in ("kept", "full")]
        assert report[0].count("<tr") == report[1].count("<tr")
        seen.append(state_of(tmp_path / "kept"))
    assert seen[0]["patients_reused"] == 0 and seen[0]["notes_read"] > 50
    assert seen[1] == {"notes_read": 0, "patients_reused": 12}
    assert 8 <= seen[2]["patients_reused"] < 12 and seen[2]["notes_read"] < 5
    # Another day: everybody is estimated again, and no note is read.
    assert seen[3] == {"notes_read": 0, "patients_reused": 0}


def test_night_that_is_killed_goes_on(tmp_path: Path, demo_batch: Path, here: Here) -> None:
    assert here("simulate", "--patients", "60", "--seed", "4", "export") == 0
    command = [
        str(Path(sys.executable).with_name("clinical-nlp")),
        *("batch", "export", "--out", "kept", "--state", "state", *OPTIONS),
    ]
    written = tmp_path / "state" / "cache.sqlite-wal"
    for least in (1, 60_000):  # in the first group, and after a later one
        with subprocess.Popen(command, cwd=tmp_path) as process:
            limit = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < limit:
                if written.exists() and written.stat().st_size > least:
                    break
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        assert not (tmp_path / "kept" / "run.json").exists()
    assert here("batch", "export", "--out", "kept", "--state", "state", *OPTIONS) in (0, 8)
    assert here("batch", "export", "--out", "full", *OPTIONS) in (0, 8)
    assert outputs(tmp_path / "kept") == outputs(tmp_path / "full")
    whole = json.loads((tmp_path / "kept" / "run.json").read_text())["input"]["notes"]
    assert state_of(tmp_path / "kept")["notes_read"] < whole


def test_state_with_several_processes_and_groups_equals_one_process(
    tmp_path: Path, here: Here
) -> None:
    """Groups are asked for while an earlier one is kept."""
    assert here("simulate", "--patients", "60", "--seed", "4", "export") == 0
    assert here("batch", "export", "--out", "full", *OPTIONS) in (0, 8)
    two = ("--state", "state", "--processes", "2")
    assert here("batch", "export", "--out", "kept", *two, *OPTIONS) in (0, 8)
    assert json.loads((tmp_path / "full" / "run.json").read_text())["input"]["notes"] > 2 * 256
    assert outputs(tmp_path / "kept") == outputs(tmp_path / "full")
    assert here("batch", "export", "--out", "kept", *two, *OPTIONS) in (0, 8)
    assert state_of(tmp_path / "kept") == {"notes_read": 0, "patients_reused": 60}
    assert outputs(tmp_path / "kept") == outputs(tmp_path / "full")


def test_state_with_mentions_and_folder_of_others_have_codes(
    tmp_path: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here("simulate", "--patients", "2", "--seed", "4", "export") == 0
    assert here("batch", "export", "--out", "o", "--state", "s", "--mentions") == 2
    assert "E138" in capsys.readouterr().err
    (tmp_path / "s").write_text("x")
    assert here("batch", "export", "--out", "o", "--state", "s", *OPTIONS) == 7
    assert "E551" in capsys.readouterr().err
    assert not (tmp_path / "o" / "run.json").exists()


def test_run_that_is_asked_to_end_leaves_nothing_behind(tmp_path: Path, here: Here) -> None:
    assert here("simulate", "--patients", "60", "--seed", "4", "export") == 0
    program = str(Path(sys.executable).with_name("clinical-nlp"))
    command = [program, "batch", "export", "--out", "out", *OPTIONS, "--processes", "2"]
    staged = tmp_path / "out" / ".partial" / "findings.parquet"
    with subprocess.Popen(command, cwd=tmp_path) as process:
        limit = time.monotonic() + 120
        while process.poll() is None and not staged.exists() and time.monotonic() < limit:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert {path.name for path in (tmp_path / "out").iterdir()} == {".lock"}
    assert here("batch", "export", "--out", "out", *OPTIONS) in (0, 8)
