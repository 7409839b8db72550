"""Steps, epochs, early stopping and saved states of the training loop."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
import torch

from clinical_nlp.errors import ModelError
from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint
from clinical_nlp.training.torch.epochs import EpochPlan, Progress, StepLoss
from clinical_nlp.training.torch.schedules import linear_decay
from clinical_nlp.training.torch.trainer import Trainer


def run_epochs(scores: list[float], patience: int | None) -> tuple[float, Progress]:
    """Weight that is kept after epochs whose weight is their number, from 1; and the progress."""
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(module.weight)

    def backward(batch: None) -> StepLoss:
        with torch.no_grad():
            module.weight.add_(1)
        return StepLoss(0.0)

    given = iter(scores)
    plan = EpochPlan(
        epochs=len(scores),
        steps=1,
        batches=lambda epoch, first: [None][first:],
        backward=backward,
        evaluate=lambda: next(given),
        patience=patience,
    )
    progress = Trainer(module, []).run_epochs(plan)
    return module.weight.item(), progress


@pytest.mark.parametrize(("patience", "epoch"), [(5, 2), (None, 3)])
def test_run_epochs_keeps_the_best_or_the_last_epoch(patience: int | None, epoch: int) -> None:
    assert run_epochs([0.5, 0.8, 0.7], patience)[0] == epoch


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4)])
def test_run_epochs_stops_when_patience_brings_nothing_better(patience: int, epochs: int) -> None:
    assert len(run_epochs([0.5, 0.8, 0.7, 0.6], patience)[1].losses) == epochs


def test_run_epochs_as_good_as_the_best_is_no_reason_to_stop() -> None:
    weight, progress = run_epochs([0.8, 0.8, 0.8, 0.8], 1)
    assert len(progress.losses) == 4
    assert weight == 1  # the first of them is kept


def line_of(seed: int) -> torch.nn.Linear:
    torch.manual_seed(seed)
    return torch.nn.Linear(3, 1)


def trainer_of(module: torch.nn.Linear, folder: Path | None, identity: str = "a") -> Trainer:
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.1)
    checkpoint = folder and TrainingCheckpoint(folder, {"recipe": identity}, every=3)
    return Trainer(module, [optimiser], checkpoint=checkpoint)


def train(module: torch.nn.Linear, folder: Path | None, stop: int = 0) -> list[float]:
    def on_step(step: int, loss: float) -> None:
        if step == stop:
            raise ZeroDivisionError

    return trainer_of(module, folder).run_steps(
        10, lambda first: count(first), lambda step: module(torch.rand(4, 3)).abs().mean(), on_step
    )


def test_run_steps_killed_and_resumed_gives_the_same_losses(tmp_path: Path) -> None:
    whole = line_of(1)
    losses = train(whole, None)
    resumed = line_of(1)
    with pytest.raises(ZeroDivisionError):
        train(resumed, tmp_path / "run", stop=8)
    resumed = line_of(2)
    assert train(resumed, tmp_path / "run") == losses
    assert torch.equal(resumed.weight, whole.weight)


def test_run_steps_state_of_another_run_is_e464(tmp_path: Path) -> None:
    train(line_of(1), tmp_path / "run")
    with pytest.raises(ModelError, match="E464"):
        trainer_of(line_of(1), tmp_path / "run", "b").run_steps(1, count, torch.Tensor)


def test_run_steps_infinite_loss_is_e465() -> None:
    module = line_of(1)
    with pytest.raises(ModelError, match="E465"):
        trainer_of(module, None).run_steps(
            1, count, lambda step: module(torch.full((1, 3), torch.inf)).sum()
        )


def test_linear_decay_rises_then_falls_to_its_floor() -> None:
    factors = [linear_decay(step, 100, 10, 0.05) for step in range(100)]
    assert factors[0] == 0.1
    assert max(factors) == factors[9] or max(factors) == factors[10]
    assert factors[-1] == 0.05
