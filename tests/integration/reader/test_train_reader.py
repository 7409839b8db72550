"""``clinical-nlp train reader``: folds, resumption, what reaches the folder and MLflow."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clinical_nlp.errors import ModelError, UsageError
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.reader import loop
from clinical_nlp.training.reader.recipe import ReaderRecipe
from clinical_nlp.training.reader.train import read_fold, read_material, train_reader

Cli = Callable[..., Any]


def test_reader_folder_has_scores_of_each_hand_left_out(reader_bench: Path) -> None:
    metrics = json.loads((reader_bench / "reader" / "metrics.json").read_text("utf-8"))
    table = metrics["hands_left_out"]
    assert table.keys() == {"a", "b", "all"}
    # How well so small a network does is chance; that it learns is not.
    assert all(0 <= table["all"][who]["negated"] <= 1 for who in ("rules", "reader"))
    losses = metrics["loss_by_epoch"]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert (reader_bench / "reader" / "manifest.json").is_file()
    assert not (reader_bench / "reader" / ".unfinished").exists()


def test_no_text_of_a_note_is_logged(reader_bench: Path) -> None:
    with sqlite3.connect(reader_bench / "mlflow.db") as store:
        names = {key for (key,) in store.execute("select distinct key from metrics")}
    assert {"train_loss", "reader.flags.all", "rules.findings.a"} <= names
    logged = [p for p in (reader_bench / "mlartifacts").rglob("*") if p.is_file()]
    assert any(path.name == "reader.safetensors" for path in logged)
    for path in logged:
        if path.suffix in (".json", ".md", ".txt") and path.name != "tokenizer.json":
            assert "desde ayer" not in path.read_text("utf-8")


def test_folds_side_by_side_give_the_same_reader(
    reader_bench: Path, cli: Cli, tmp_path: Path
) -> None:
    shutil.copytree(reader_bench / "corpus", tmp_path / "corpus")
    shutil.copy(reader_bench / "recipe.toml", tmp_path)
    arguments = ("--config", "recipe.toml", "--out", "again", "--work", "work", "--threads", "1")
    for fold in ("2", "1"):
        assert "is read" in cli("train", "reader", *arguments, "--fold", fold, cwd=tmp_path).stdout
    cli("train", "reader", *arguments, cwd=tmp_path)
    for name in ("model/reader.safetensors", "model/config.json", "metrics.json"):
        first, second = reader_bench / "reader" / name, tmp_path / "again" / name
        assert first.read_bytes() == second.read_bytes()


def test_killed_run_resumes_to_the_same_weights(
    reader_bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 2)
    recipe = read_recipe(reader_bench / "recipe.toml", ReaderRecipe)
    material = read_material(recipe, reader_bench)

    def kill(step: int, steps: int, loss: float) -> None:
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_fold(recipe, material, 0, tmp_path / "killed", on_step=kill)
    resumed = train_reader(recipe, material, tmp_path / "killed")
    whole = train_reader(recipe, material, tmp_path / "whole")
    for name, weight in whole.network.state_dict().items():
        assert weight.equal(resumed.network.state_dict()[name])
    assert resumed.table == whole.table


def test_readings_of_another_run_raise_e464(reader_bench: Path, tmp_path: Path) -> None:
    recipe = read_recipe(reader_bench / "recipe.toml", ReaderRecipe, ["fit.epochs=1"])
    material = read_material(recipe, reader_bench)
    first = read_fold(recipe, material, 0, tmp_path)
    again = read_fold(recipe, material, 0, tmp_path)
    assert all((a.rows == b.rows).all() for a, b in zip(first, again, strict=True))
    other = recipe.replace(fit=recipe.fit.replace(seed=9))
    with pytest.raises(ModelError, match="E464"):
        read_fold(other, material, 0, tmp_path)
    changed = replace(material, notes=(replace(material.notes[0], gold=()), *material.notes[1:]))
    with pytest.raises(ModelError, match="E464"):
        read_fold(recipe, changed, 0, tmp_path)
    (tmp_path / "fold-0.npz").write_bytes(b"PK")
    with pytest.raises(ModelError, match="E464"):
        read_fold(recipe, material, 0, tmp_path)


def test_fold_that_the_recipe_has_not_raises_e133(reader_bench: Path, tmp_path: Path) -> None:
    recipe = read_recipe(reader_bench / "recipe.toml", ReaderRecipe)
    with pytest.raises(UsageError, match=r"E133.*from 1 to 2"):
        read_fold(recipe, read_material(recipe, reader_bench), 2, tmp_path)


def test_folds_and_files_that_disagree_raise_e132(reader_bench: Path) -> None:
    recipe = read_recipe(reader_bench / "recipe.toml", ReaderRecipe, ['folds=[["a"]]'])
    with pytest.raises(UsageError, match=r"E132.*\bb\b"):
        read_material(recipe, reader_bench)
