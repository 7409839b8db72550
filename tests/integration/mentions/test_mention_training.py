"""Training of tiny models: what is learnt, what survives a kill, what reaches MLflow."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from clinical_nlp.errors import InputError, ModelError, UsageError
from clinical_nlp.training.encoder.distil import DistilRecipe, distil
from clinical_nlp.training.encoder.pretrain import pretrain
from clinical_nlp.training.ner import loop
from clinical_nlp.training.ner.recipe import read_mentions_recipe
from clinical_nlp.training.ner.train import confusions, train_mentions, word_cutter

ROOT = Path(__file__).resolve().parents[3]


class Killed(Exception):
    """Stands for the kill."""


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model" / "model.safetensors")


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_pretraining_goes_on_after_a_kill(bench: Any, tmp_path: Path) -> None:
    text = bench.folder / "all.jsonl"

    def kill(step: int, loss: float) -> None:
        if step == 6:
            raise Killed

    arguments = (bench.encoder_recipe, text, tmp_path / "out", tmp_path / "work")
    whole = (bench.encoder_recipe, text, tmp_path / "whole", tmp_path / "begun")
    with pytest.raises(Killed):
        pretrain(*arguments, on_step=kill, save_every=2)
    # The tokenizer's trainer breaks ties by chance: both runs get the same one.
    shutil.copytree(tmp_path / "work" / "tokenizer", tmp_path / "begun" / "tokenizer")
    pretrain(*whole)
    steps: list[int] = []
    pretrain(*arguments, on_step=lambda step, loss: steps.append(step), save_every=2)
    assert steps[0] == 5  # four steps were saved
    assert same(weights(tmp_path / "out"), weights(tmp_path / "whole"))
    assert not (tmp_path / "work").exists()


def test_training_goes_on_after_a_kill(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_SAVE_EVERY", 3)
    recipe = replace(bench.recipe, fit=replace(bench.recipe.fit, epochs=2, adversary=0.5))
    whole = train_mentions(recipe, base_folder=bench.folder, work=tmp_path / "one")

    def kill(step: int, steps: int, loss: float) -> None:
        if step == steps - 4:
            raise Killed

    with pytest.raises(Killed):
        train_mentions(recipe, base_folder=bench.folder, work=tmp_path / "two", on_step=kill)
    seen: list[int] = []
    resumed = train_mentions(
        recipe,
        base_folder=bench.folder,
        work=tmp_path / "two",
        on_step=lambda step, steps, loss: seen.append(step),
    )
    assert seen[0] > 1
    assert resumed.progress.losses == pytest.approx(whole.progress.losses)
    assert same(resumed.model.tagger.state_dict(), whole.model.tagger.state_dict())


def test_an_adversary_changes_what_is_learnt_and_not_how_it_is_counted(
    bench: Any, tmp_path: Path
) -> None:
    fit = replace(bench.recipe.fit, epochs=1)
    plain, hardened = (
        train_mentions(
            replace(bench.recipe, fit=replace(fit, adversary=far)),
            base_folder=bench.folder,
            work=tmp_path / str(far),
        )
        for far in (0.0, 0.5)
    )
    assert hardened.progress.step == plain.progress.step
    assert hardened.progress.losses != plain.progress.losses
    assert not same(hardened.model.tagger.state_dict(), plain.model.tagger.state_dict())


def test_members_give_the_mean_of_their_weights(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_SAVE_EVERY", 3)
    recipe = replace(bench.recipe, fit=replace(bench.recipe.fit, epochs=1))
    changes = {"fit": {"matrix_rate": 1e-3, "epochs": 2}, "head": {"dropout": 0.3}}
    alone = [
        train_mentions(run, base_folder=bench.folder, work=tmp_path / f"alone{number}")
        for number, run in enumerate(replace(recipe, members=(changes,)).runs())
    ]

    def kill(step: int, steps: int, loss: float) -> None:
        if step == steps - 4:  # in the second run
            raise Killed

    both = replace(recipe, members=(changes,))
    with pytest.raises(Killed):
        train_mentions(both, base_folder=bench.folder, work=tmp_path / "both", on_step=kill)
    mean = train_mentions(both, base_folder=bench.folder, work=tmp_path / "both")
    assert mean.progress.losses == pytest.approx(
        [*alone[0].progress.losses, *alone[1].progress.losses]
    )
    one, two = (dict(run.model.tagger.named_parameters()) for run in alone)
    for name, weight in mean.model.tagger.named_parameters():
        torch.testing.assert_close(weight, (one[name] + two[name]) / 2)
    transitions = (alone[0].model.transitions + alone[1].model.transitions) / 2
    assert mean.model.transitions == pytest.approx(transitions)


@pytest.mark.parametrize(
    "member",
    [
        "[[members]]\nfit.seed = 2",
        "[[members]]\nhead.hidden = 64",
        '[[members]]\nencoder = "other"',
        "[[members]]\nfit.word_dropout = 1.5",
        "[[members]]\nfit.adversary = -1.0",
        "[[members]]\nfit.no_such_thing = 1",
        "[[members]]",
    ],
)
def test_members_share_what_a_mean_needs(tmp_path: Path, member: str) -> None:
    text = (ROOT / "models" / "mentions" / "recipe.toml").read_text("utf-8")
    (tmp_path / "recipe.toml").write_text(f"{text}\n{member}\n")
    with pytest.raises(UsageError, match="E121"):
        read_mentions_recipe(tmp_path / "recipe.toml")


def test_a_run_of_another_recipe_is_not_taken_up(bench: Any, tmp_path: Path) -> None:
    short = replace(bench.recipe, fit=replace(bench.recipe.fit, epochs=1))
    train_mentions(short, base_folder=bench.folder, work=tmp_path / "run")
    other = replace(short, fit=replace(short.fit, seed=9))
    with pytest.raises(ModelError, match="E464"):
        train_mentions(other, base_folder=bench.folder, work=tmp_path / "run")


def test_a_run_that_diverges_says_so(bench: Any, tmp_path: Path) -> None:
    fit = replace(bench.recipe.fit, matrix_rate=1e30, embedding_rate=1e30, head_rate=1e30)
    with pytest.raises(ModelError, match="E465"):
        train_mentions(
            replace(bench.recipe, fit=fit), base_folder=bench.folder, work=tmp_path / "run"
        )


def test_no_document_is_measured_that_was_trained_on(bench: Any, tmp_path: Path) -> None:
    recipe = replace(bench.recipe, fit=replace(bench.recipe.fit, epochs=1))
    trained = train_mentions(recipe, base_folder=bench.folder, work=tmp_path / "run")
    assert trained.documents["test"] == len(trained.pairs) > 0
    assert sum(trained.documents.values()) == 80
    everything = train_mentions(
        recipe, base_folder=bench.folder, work=tmp_path / "all", everything=True
    )
    assert everything.documents == {"train": 80, "validation": 0, "test": 0}
    assert everything.measures is None
    assert confusions(everything.pairs) == {}


def test_a_split_without_documents_is_refused(bench: Any, tmp_path: Path) -> None:
    recipe = replace(bench.recipe, split=replace(bench.recipe.split, test=1e-9))
    with pytest.raises(UsageError, match="E129"):
        train_mentions(recipe, base_folder=bench.folder, work=tmp_path / "run")


@pytest.mark.parametrize("row", ['{"id": 1, "text": "a"}', "nothing", '{"id": 1, "text": "a", '
    '"entities": [{"label": "DISEASE", "start": 0, "end": 9}]}'])  # fmt: skip
def test_a_row_that_is_no_document_is_named_by_its_line(
    bench: Any, tmp_path: Path, row: str
) -> None:
    (tmp_path / "bad.jsonl").write_text(row + "\n")
    corpus = replace(bench.recipe.corpora[0], path=str(tmp_path / "bad.jsonl"))
    with pytest.raises(InputError, match="E266 line 1"):
        train_mentions(
            replace(bench.recipe, corpora=(corpus,)), base_folder=tmp_path, work=tmp_path / "run"
        )


def test_a_student_comes_closer_to_its_teacher(bench: Any, tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(bench.folder / "encoder" / "model")
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    teacher = BertModel(BertConfig(vocab_size=len(tokenizer), intermediate_size=32, **shape))
    teacher.save_pretrained(tmp_path / "teacher")
    tokenizer.save_pretrained(tmp_path / "teacher")
    student = str(bench.folder / "encoder")
    recipe = DistilRecipe("tiny", student, "", 40, 8, 4, 1e-2, 1e-2, 0.0, 0.0, 0)

    def kill(step: int, loss: float) -> None:
        if step == 15:
            raise Killed

    arguments = (
        recipe,
        str(tmp_path / "teacher"),
        bench.folder / "all.jsonl",
        tmp_path / "out",
        tmp_path / "work",
        word_cutter(),
    )
    with pytest.raises(Killed):
        distil(*arguments, on_step=kill, save_every=10)
    made = distil(*arguments, save_every=10)
    assert len(made.losses) == 40
    assert sum(made.losses[-5:]) < 0.7 * sum(made.losses[:5])
    from clinical_nlp.neural.locate import load_checkpoint

    assert load_checkpoint(str(tmp_path / "out")).model().config.hidden_size == 16


def test_the_command_keeps_text_off_mlflow(
    bench: Any,
    tmp_path: Path,
    cli: Callable[..., Any],
    toml: Callable[..., Path],
) -> None:
    config = toml(bench, tmp_path / "recipe.toml")
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


def test_the_shipped_recipe_is_read() -> None:
    recipe = read_mentions_recipe(ROOT / "models" / "mentions" / "recipe.toml")
    assert "MEDICATION" not in recipe.corpora[1].labels
    assert not any("/" in str(value) for value in recipe.flat().values())
    told = [(run.fit.matrix_rate, run.fit.adversary) for run in recipe.runs()]
    assert told == [(2e-3, 2.0), (1.5e-3, 1.0)]
    assert recipe.flat()["members.0.fit.matrix_rate"] == 1.5e-3


def test_a_value_takes_the_place_of_the_recipe_s() -> None:
    path = ROOT / "models" / "mentions" / "recipe.toml"
    recipe = read_mentions_recipe(path, ["fit.epochs=9", 'fit.precision = "float32"'])
    assert (recipe.fit.epochs, recipe.fit.precision) == (9, "float32")


@pytest.mark.parametrize("change", ["epochs", "fit.epoch=3", "fat.epochs=3", "fit=3", "a=1\nb=2"])
def test_a_change_that_changes_nothing_is_refused(change: str) -> None:
    with pytest.raises(UsageError, match="E131"):
        read_mentions_recipe(ROOT / "models" / "mentions" / "recipe.toml", [change])
