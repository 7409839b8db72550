"""The shipped model, through the commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clinical_nlp.artifacts import changed_files, shipped_models

ROW = {"id": "n1", "text": "Mujer con HTA en tratamiento con enalapril. Refiere ortopnea. ECG."}


def test_extract_fills_mentions(tmp_path: Path, cli: Callable[..., Any]) -> None:
    done = cli("extract", "-", "-", cwd=tmp_path, stdin=json.dumps(ROW) + "\n")
    mentions = json.loads(done.stdout)["mentions"]
    found = {ROW["text"][m["start"] : m["end"]]: m["label"] for m in mentions}
    assert found.get("HTA") == "DISEASE"
    assert found.get("enalapril") == "MEDICATION"
    assert found.get("ortopnea") == "SYMPTOM"
    assert all(set(m) <= {"start", "end", "label", "score", "concept"} for m in mentions)
    plain = cli("extract", "--no-mentions", "-", "-", cwd=tmp_path, stdin=json.dumps(ROW) + "\n")
    assert json.loads(plain.stdout)["mentions"] == []
    assert json.loads(plain.stdout)["findings"] == json.loads(done.stdout)["findings"]


def test_evaluate_scores_predictions(tmp_path: Path, cli: Callable[..., Any]) -> None:
    gold = ROW | {"entities": [{"label": "DISEASE", "start": 10, "end": 13}]}
    (tmp_path / "gold.jsonl").write_text(json.dumps(gold) + "\n")
    pred = {"id": "n1", "mentions": [{"label": "DISEASE", "start": 10, "end": 13}]}
    (tmp_path / "pred.jsonl").write_text(json.dumps(pred) + "\n")
    done = cli("evaluate", "mentions", "gold.jsonl", "--pred", "pred.jsonl", "--json", cwd=tmp_path)
    scores = json.loads(done.stdout)
    assert scores["strict"]["micro"]["f1"] == scores["character"]["DISEASE"]["f1"] == 1.0
    cli("evaluate", "mentions", "gold.jsonl", "--markdown", cwd=tmp_path)
    (tmp_path / "bad.jsonl").write_text('{"id": 1}\n')
    cli("evaluate", "mentions", "bad.jsonl", cwd=tmp_path, code=4)


def test_shipped_models_are_unchanged_and_small() -> None:
    models = {folder.name: folder for folder in shipped_models()}
    for name in ("mentions", "es-clinical-encoder"):
        assert changed_files(models[name]) == []
        sizes = [path.stat().st_size for path in models[name].rglob("*") if path.is_file()]
        assert max(sizes) <= 16 * 2**20
