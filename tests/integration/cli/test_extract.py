"""``extract`` and ``assert`` as a program calls them."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clinical_nlp.records import FLAGS

Cli = Callable[..., subprocess.CompletedProcess[str]]


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_extract_writes_documented_fields(tmp_path: Path, cli: Cli) -> None:
    text = "😀 Niega ortopnea. TA 13/8."
    done = cli("extract", "-", "-", cwd=tmp_path, stdin=lines([{"id": 7, "text": text}]))
    row = json.loads(done.stdout)
    assert row["id"] == 7
    (mention,) = row["mentions"]
    assert {"start", "end", "label", "score"} <= set(mention)
    assert mention["label"] == "SYMPTOM"
    assert text[mention["start"] : mention["end"]] == "ortopnea"
    found = {f["concept"]: f for f in row["findings"]}
    orthopnea = found["orthopnea"]
    fields = {"start", "end", "text", "concept", *FLAGS, "section"}
    assert set(orthopnea) == fields | {"source", "probability"}
    assert orthopnea["negated"] and text[orthopnea["start"] : orthopnea["end"]] == "ortopnea"
    assert (found["systolic_bp"]["value"], found["systolic_bp"]["unit"]) == (130.0, "mm[Hg]")


def test_extract_reads_and_writes_gzip(tmp_path: Path, cli: Cli) -> None:
    with gzip.open(tmp_path / "in.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(lines([{"id": "a", "text": "disnea", "lang": "es"}, {"id": "b", "text": ""}]))
    cli("extract", "in.jsonl.gz", "out.jsonl.gz", cwd=tmp_path)
    with gzip.open(tmp_path / "out.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert [(r["id"], len(r["findings"])) for r in rows] == [("a", 1), ("b", 0)]


def test_assert_fills_flags_of_targets(tmp_path: Path, cli: Cli) -> None:
    text = "Niega tos. Refiere cefalea."
    targets = [{"start": 6, "end": 9}, {"start": 19, "end": 26, "mine": 1}]
    stdin = lines([{"id": 1, "text": text, "targets": targets}])
    row = json.loads(cli("assert", "-", "-", cwd=tmp_path, stdin=stdin).stdout)
    cough, headache = row["targets"]
    assert cough["negated"] and not headache["negated"]
    assert headache["mine"] == 1
    assert set(FLAGS) <= set(cough)


def test_extract_reports_bad_rows_by_line_number(tmp_path: Path, cli: Cli) -> None:
    stdin = '{"id": 1, "text": "tos"}\nSECRETO\n{"id": 2}\n{"id": 3, "text": 5}\n[]\n'
    done = cli("extract", "-", "-", cwd=tmp_path, stdin=stdin, code=3)
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1]
    assert [f"line {n}" in done.stderr for n in (1, 2, 3, 4, 5)] == [False, True, True, True, True]
    assert "SECRETO" not in done.stderr


def test_assert_leaves_out_targets_outside_the_text(tmp_path: Path, cli: Cli) -> None:
    row = {"id": 1, "text": "tos", "targets": [{"start": 2, "end": 9}]}
    cli("assert", "-", "-", cwd=tmp_path, stdin=lines([row]), code=3)


def test_extract_of_missing_file_exits_with_code(tmp_path: Path, cli: Cli) -> None:
    done = cli("extract", "none.jsonl", "-", cwd=tmp_path, code=4)
    assert "E261" in done.stderr


def test_help_shows_example(tmp_path: Path, cli: Cli) -> None:
    for command in ("batch", "extract", "assert", "simulate"):
        shown = cli(command, "--help", cwd=tmp_path).stdout
        assert "clinical-nlp" in shown, command
