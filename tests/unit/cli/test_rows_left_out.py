"""A row that fails is told from a row that is no row, and stops no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from clinical_nlp.batch.note_rows import field
from clinical_nlp.cli import extract
from clinical_nlp.errors import EXIT_QUARANTINED, ModelError


def converted(tmp_path: Path, rows: list[object], fails: Exception) -> list[dict[str, Any]]:
    """What is written where the text ``"frágil"`` makes the reading fail."""

    def make(nlp: object, row: dict[str, Any]) -> dict[str, Any]:
        text = field(row, "text", str)
        if text == "frágil":
            raise fails
        return {"text": text}

    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    with pytest.raises(typer.Exit) as left:
        extract._convert(str(source), str(target), None, make)  # type: ignore[arg-type]
    assert left.value.exit_code == EXIT_QUARANTINED
    return [json.loads(line) for line in target.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    "fails", [KeyError("frágil"), ValueError("frágil"), RuntimeError("frágil")]
)
def test_convert_reports_failing_row_without_its_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fails: Exception
) -> None:
    written = converted(tmp_path, [{"text": "frágil"}, {"text": 7}, {"text": "tos"}], fails)
    assert written == [{"text": "tos"}]
    told = capsys.readouterr().err.splitlines()
    assert [line.split(" was")[0] for line in told] == ["E268 line 1", "E262 line 2"]
    assert type(fails).__name__ in told[0]
    assert "frágil" not in "".join(told)


def test_convert_stops_on_coded_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="E440"):
        converted(tmp_path, [{"text": "frágil"}], ModelError("E440", "no model: fetch one"))
