"""Our measures are those of the acceptance script, number for number."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clinical_nlp.evaluation.annotated_notes import finding_note, target_note
from clinical_nlp.evaluation.finding_scores import compare as compare_findings
from clinical_nlp.evaluation.finding_scores import compare_targets as compare_assertion
from clinical_nlp.evaluation.measures import score_all
from clinical_nlp.records import FLAGS

NAMES = {
    "span_relaxed": "findings, overlap",
    "span_exact": "findings, exact place",
    "span_and_assertion": "findings, all flags right",
    "measurement": "measurements",
    "note_facts": "note-level facts",
} | {f"flag_{name}": f"flag {name}" for name in FLAGS}


def damaged(rows: list[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    """Predictions with every kind of error in them."""
    chance = random.Random(1)
    made = []
    for row in rows:
        marks = []
        for mark in row[field]:
            mark = dict(mark)
            if field == "findings" and chance.random() < 0.1:
                continue
            if field == "findings" and chance.random() < 0.2:
                mark["end"] += chance.choice([-1, 1, 3])
            if field == "findings" and chance.random() < 0.1:
                mark["concept"] = "dyspnea"
            if mark.get("value") is not None and chance.random() < 0.2:
                mark["value"] += 1
            for name in FLAGS:
                if chance.random() < 0.1:
                    mark[name] = not mark.get(name)
            marks.append(mark)
        made.append({"id": row["id"], field: marks})
    return made


def score_script(shared: Path, task: str, gold: Path, predicted: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, shared / "tools" / "score.py", task, gold, predicted, "--json"],
        capture_output=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def read(path: Path, limit: int) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(limit), strict=False)]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.shared
def test_finding_scores_equal_acceptance_script(shared: Path, tmp_path: Path) -> None:
    rows = read(shared / "data" / "gold" / "dev.jsonl.gz", 60)
    guesses = damaged(rows, "findings")
    theirs = score_script(
        shared, "findings", write(tmp_path / "g", rows), write(tmp_path / "p", guesses)
    )
    by_id = {row["id"]: finding_note(row) for row in guesses}
    ours = score_all(
        [compare_findings(finding_note(r), by_id[r["id"]]).measures for r in rows], samples=10
    )
    for name, our_name in NAMES.items():
        assert round(ours[our_name].f1, 4) == theirs[name]["f1"], name
        assert ours[our_name].gold == theirs[name]["gold"], name
        assert ours[our_name].predicted == theirs[name]["pred"], name


@pytest.mark.shared
def test_assertion_scores_equal_acceptance_script(shared: Path, tmp_path: Path) -> None:
    rows = read(shared / "data" / "assertion.nubes.jsonl.gz", 500)
    guesses = damaged(rows, "targets")
    theirs = score_script(
        shared, "assertion", write(tmp_path / "g", rows), write(tmp_path / "p", guesses)
    )
    by_id = {row["id"]: target_note(row) for row in guesses}
    ours = score_all(
        [compare_assertion(target_note(r), by_id[r["id"]]).measures for r in rows],
        samples=10,
    )
    for name in ("negated", "uncertain"):
        assert round(ours[f"flag {name}"].f1, 4) == theirs[name]["f1"]
