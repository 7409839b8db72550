"""Training of tiny mention models: what is learnt, and what survives a kill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import Killed, same

from clinical_nlp.errors import InputError, ModelError, UsageError
from clinical_nlp.training.ner import loop
from clinical_nlp.training.ner.confusions import confusions
from clinical_nlp.training.ner.train import train_mentions


def test_train_mentions_killed_and_resumed_gives_the_same_weights(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 3)
    recipe = bench.recipe.replace(fit=bench.recipe.fit.replace(epochs=2, fgm_epsilon=0.5))
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


def test_train_mentions_with_fgm_changes_weights_and_not_the_number_of_steps(
    bench: Any, tmp_path: Path
) -> None:
    fit = bench.recipe.fit.replace(epochs=1)
    plain, hardened = (
        train_mentions(
            bench.recipe.replace(fit=fit.replace(fgm_epsilon=epsilon)),
            base_folder=bench.folder,
            work=tmp_path / str(epsilon),
        )
        for epsilon in (0.0, 0.5)
    )
    assert hardened.progress.step == plain.progress.step
    assert hardened.progress.losses != plain.progress.losses
    assert not same(hardened.model.tagger.state_dict(), plain.model.tagger.state_dict())


def test_train_mentions_with_members_gives_the_mean_of_their_weights(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 3)
    recipe = bench.recipe.replace(fit=bench.recipe.fit.replace(epochs=1))
    changes = {"fit": {"matrix_rate": 1e-3, "epochs": 2}, "head": {"dropout": 0.3}}
    alone = [
        train_mentions(run, base_folder=bench.folder, work=tmp_path / f"alone{number}")
        for number, run in enumerate(recipe.replace(members=(changes,)).runs())
    ]

    def kill(step: int, steps: int, loss: float) -> None:
        if step == steps - 4:  # in the second run
            raise Killed

    both = recipe.replace(members=(changes,))
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


def test_train_mentions_unfinished_run_of_another_recipe_is_e464(
    bench: Any, tmp_path: Path
) -> None:
    short = bench.recipe.replace(fit=bench.recipe.fit.replace(epochs=1))
    train_mentions(short, base_folder=bench.folder, work=tmp_path / "run")
    other = short.replace(fit=short.fit.replace(seed=9))
    with pytest.raises(ModelError, match="E464"):
        train_mentions(other, base_folder=bench.folder, work=tmp_path / "run")


def test_train_mentions_diverging_loss_is_e465(bench: Any, tmp_path: Path) -> None:
    fit = bench.recipe.fit.replace(matrix_rate=1e30, embedding_rate=1e30, head_rate=1e30)
    with pytest.raises(ModelError, match="E465"):
        train_mentions(
            bench.recipe.replace(fit=fit), base_folder=bench.folder, work=tmp_path / "run"
        )


def test_train_mentions_everything_measures_no_document(bench: Any, tmp_path: Path) -> None:
    recipe = bench.recipe.replace(fit=bench.recipe.fit.replace(epochs=1))
    trained = train_mentions(recipe, base_folder=bench.folder, work=tmp_path / "run")
    assert trained.documents["test"] == len(trained.pairs) > 0
    assert sum(trained.documents.values()) == 80
    everything = train_mentions(
        recipe, base_folder=bench.folder, work=tmp_path / "all", everything=True
    )
    assert everything.documents == {"train": 80, "validation": 0, "test": 0}
    assert everything.measures is None
    assert confusions(everything.pairs) == {}


def test_train_mentions_split_without_documents_is_e129(bench: Any, tmp_path: Path) -> None:
    recipe = bench.recipe.replace(split=bench.recipe.split.replace(test=1e-9))
    with pytest.raises(UsageError, match="E129"):
        train_mentions(recipe, base_folder=bench.folder, work=tmp_path / "run")


@pytest.mark.parametrize("row", ['{"id": 1, "text": "a"}', "nothing", '{"id": 1, "text": "a", '
    '"entities": [{"label": "DISEASE", "start": 0, "end": 9}]}'])  # fmt: skip
def test_train_mentions_row_that_is_no_document_is_e266_with_its_line(
    bench: Any, tmp_path: Path, row: str
) -> None:
    (tmp_path / "bad.jsonl").write_text(row + "\n")
    corpus = bench.recipe.corpora[0].replace(path=str(tmp_path / "bad.jsonl"))
    with pytest.raises(InputError, match="E266 line 1"):
        train_mentions(
            bench.recipe.replace(corpora=(corpus,)), base_folder=tmp_path, work=tmp_path / "run"
        )


def test_train_mentions_from_a_mention_model_keeps_what_it_learnt(
    bench: Any, tiny_model: Path, tmp_path: Path
) -> None:
    """One short pass over other documents does not forget what was learnt."""
    from clinical_nlp.neural.tagger.model import load_mention_model

    fit = bench.recipe.fit.replace(epochs=1, matrix_rate=1e-4, head_rate=1e-4, keep="last")
    head = replace(bench.recipe.head, hidden=8, dropout=0.2)
    recipe = bench.recipe.replace(fit=fit, head=head, start=str(tiny_model / "model"))
    began = load_mention_model(tiny_model / "model")
    trained = train_mentions(recipe, base_folder=bench.folder, work=tmp_path / "run")
    assert trained.base == began.digest
    assert trained.model.tagger.head == replace(began.tagger.head, dropout=0.2)
    assert trained.measures is not None
    assert trained.measures.strict["micro"].f1 > 0.8
