"""The log of a run: how it ended, in codes, whatever happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from clinical_nlp.cli.run_log import open_run_log
from clinical_nlp.errors import ModelError, OutputError


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (None, 0, None),
        (typer.Exit(3), 3, None),
        (ModelError("E401", "the secret registry"), 6, "E401"),
        (SystemExit(143), 143, None),
        (KeyError("secret note"), 70, "E999 KeyError"),
        (KeyboardInterrupt(), 70, "E999 KeyboardInterrupt"),
    ],
)
def test_run_log_ends_with_the_exit_code_and_no_message(
    tmp_path: Path, error: BaseException | None, code: int, says: str | None
) -> None:
    path = tmp_path / "log.jsonl"
    try:
        with open_run_log(path, "batch") as log:
            log.stage("scan", 10)
            if error is not None:
                raise error
    except BaseException as raised:  # noqa: BLE001 - it must be the one that was raised
        assert raised is error
    begin, stage, end = lines_of(path)
    assert (stage["stage"], stage["total"]) == ("scan", 10)
    assert end["exit_code"] == code
    assert str(end["error"]).split(" at ")[0] == str(says)  # then its place in our sources
    assert begin["run"] == stage["run"] == end["run"]
    assert "secret" not in path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o600


def test_run_log_appends_runs_with_ids_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for _ in range(2):
        with open_run_log(path, "batch"):
            pass
    assert len({line["run"] for line in lines_of(path)}) == 2


def test_run_log_that_cannot_be_written_is_e511(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="E511"), open_run_log(tmp_path / "no" / "log", "batch"):
        pass


def test_run_log_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with open_run_log(Path("-"), "batch"):
        pass
    assert len(capsys.readouterr().err.splitlines()) == 2
