"""``clinical-nlp train mentions``: what reaches the folder and MLflow."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_training import write_toml


def test_train_mentions_command_logs_no_text_to_mlflow(
    bench: Any,
    tmp_path: Path,
    cli: Callable[..., Any],
) -> None:
    config = write_toml(bench, tmp_path / "recipe.toml")
    arguments = ["--config", str(config), "--out", "out", "--epochs", "1", "--threads", "1"]
    done = cli("train", "mentions", *arguments, "--examples", "wrong.jsonl", cwd=tmp_path)
    assert "strict.micro" in done.stdout
    assert (tmp_path / "out" / "manifest.json").is_file()
    assert not (tmp_path / "out" / ".unfinished").exists()
    rows = [json.loads(line) for line in (tmp_path / "wrong.jsonl").read_text().splitlines()]
    assert rows
    assert {"kind", "label", "text", "before"} <= rows[0].keys()
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        curves = store.execute("select key, count(*) from metrics group by key").fetchall()
    wanted = {"train_loss", "validation_strict_f1", "strict.micro", "energy.kwh"}
    assert wanted <= {key for key, _ in curves}
    logged = list((tmp_path / "mlartifacts").rglob("*"))
    assert any(path.name == "tagger.safetensors" for path in logged)
    names = [path.name for path in logged if path.is_file()]
    assert "confusions.json" in names
    assert "wrong.jsonl" not in names
    for path in logged:
        # The tokenizer's pieces are words of the corpus; sentences of it are nowhere.
        if path.is_file() and path.suffix in (".json", ".md"):
            assert "Paciente con" not in path.read_text("utf-8")
    cli("train", "mentions", *arguments, "--log-examples", cwd=tmp_path, code=2)
