"""The training loop of every torch model of the project, by steps or by epochs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from clinical_nlp.errors import ModelError
from clinical_nlp.training.torch.epochs import Batch, EpochPlan, OnEpoch, OnEpochStep, Progress
from clinical_nlp.training.torch.optimisers import set_rates

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint

#: Largest norm of the gradient over all parameters.
_CLIP_NORM = 1.0

#: Steps between two additions to the average of the weights, and the least weight of a new
#: addition: about the last 20 count.
_AVERAGE_EVERY = 20
_LEAST_WEIGHT = 0.05

#: Called after each step of a run by steps: steps done, loss.
OnStep = Callable[[int, float], None]


class Trainer:
    """Optimiser steps with a schedule, gradient clipping, a finite-loss check and saved states.

    Parameters
    ----------
    module
        Everything that is trained, in place.
    optimisers
        Over the module's parameters.
    schedule
        Factor of the base learning rates at a step, counted from 0; without it they stay.
    checkpoint
        Where the state is saved. A state that is found there is resumed.

    Raises
    ------
    ModelError
        From either run. E464: a saved state does not fit. E465: the loss is not finite.
    """

    def __init__(
        self,
        module: nn.Module,
        optimisers: Sequence[Optimizer],
        *,
        schedule: Callable[[int], float] | None = None,
        checkpoint: TrainingCheckpoint | None = None,
    ) -> None:
        self._module = module
        self._optimisers = optimisers
        self._schedule = schedule
        self._checkpoint = checkpoint
        # Averaged and best weights of a run by epochs: "mean.<parameter>", "best.<parameter>".
        self._weights: dict[str, Tensor] = {}

    def run_steps(
        self,
        steps: int,
        batches: Callable[[int], Iterable[Batch]],
        loss_of: Callable[[Batch], Tensor],
        on_step: OnStep = lambda step, loss: None,
    ) -> list[float]:
        """Train for a number of steps; return the loss of each.

        Parameters
        ----------
        batches
            Gives the batches from a step on, counted from 0.
        loss_of
            Mean loss of a batch.
        """
        losses: list[float] = list(self._resume().get("losses", ()))
        self._module.train()
        for batch in islice(batches(len(losses)), steps - len(losses)):
            loss = loss_of(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            self._step(len(losses), loss.item())
            losses.append(loss.item())
            on_step(len(losses), losses[-1])
            self._save_sometimes(len(losses), {"losses": losses})
        self._save({"losses": losses})
        self._module.train(False)
        return losses

    def run_epochs(
        self,
        plan: EpochPlan[Batch],
        on_step: OnEpochStep = lambda step, steps, loss: None,
        on_epoch: OnEpoch = lambda epoch, loss, score: None,
    ) -> Progress:
        """Train for a number of epochs; the weights to be kept are left in the module."""
        progress = Progress(**self._resume().get("progress", {}))
        while len(progress.losses) < plan.epochs and (
            plan.patience is None or progress.waited < plan.patience
        ):
            self._run_epoch(plan, progress, on_step)
            score = self._end_epoch(plan, progress)
            on_epoch(len(progress.losses), progress.losses[-1], score)
            self._save({"progress": asdict(progress)})
        self._load_weights("best")
        self._module.train(False)
        return progress

    def _run_epoch(self, plan: EpochPlan[Batch], progress: Progress, on_step: OnEpochStep) -> None:
        epoch = len(progress.losses)
        first, steps = epoch * plan.steps, plan.epochs * plan.steps
        done = progress.step - first
        self._module.train()
        for place, batch in enumerate(plan.batches(epoch, done), start=done):
            step = first + min(place, plan.steps - 1)
            loss = plan.backward(batch)
            self._step(step, loss.total)
            progress.loss_sum += loss.total
            progress.count += loss.count
            progress.step = first + place + 1
            if step > plan.average_from * steps and step % _AVERAGE_EVERY == 0:
                self._average(progress)
            on_step(progress.step, steps, progress.loss_sum / progress.count)
            self._save_sometimes(progress.step, {"progress": asdict(progress)})

    def _end_epoch(self, plan: EpochPlan[Batch], progress: Progress) -> float | None:
        """Evaluate the epoch's weights, keep them if they are to be kept; return the score."""
        progress.losses.append(progress.loss_sum / max(1, progress.count))
        progress.loss_sum, progress.count = 0.0, 0
        progress.step = plan.steps * len(progress.losses)
        live = {n: value.detach().clone() for n, value in self._module.named_parameters()}
        final = {name: self._weights.get(f"mean.{name}", value) for name, value in live.items()}
        score, is_better = None, True
        if plan.evaluate is not None:
            self._load_weights("mean")
            self._module.train(False)
            score = plan.evaluate()
            self._set(live)
            progress.scores.append(score)
            is_better = score > progress.best + plan.min_improvement
            progress.waited = 0 if is_better or score == progress.best else progress.waited + 1
            progress.best = score if is_better else progress.best
        if is_better or plan.patience is None:
            self._weights |= {f"best.{name}": value.clone() for name, value in final.items()}
        return score

    def _step(self, step: int, loss: float) -> None:
        """Update the parameters by the gradients of a step, counted from 0."""
        import torch

        if self._schedule is not None:
            set_rates(self._optimisers, self._schedule(step))
        torch.nn.utils.clip_grad_norm_(self._module.parameters(), _CLIP_NORM)
        for optimiser in self._optimisers:
            optimiser.step()
            optimiser.zero_grad()
        if not math.isfinite(loss):
            raise ModelError(
                "E465",
                f"the loss of step {step + 1} is not finite: lower the learning rates in the "
                "recipe, or set precision to float32; the last saved state is still good",
            )

    def _average(self, progress: Progress) -> None:
        """Add the current weights to their average (Izmailov et al., UAI 2018)."""
        progress.averaged += 1
        weight = max(1 / progress.averaged, _LEAST_WEIGHT)
        for name, value in self._module.named_parameters():
            mean = self._weights.setdefault(f"mean.{name}", value.detach().clone())
            mean.lerp_(value.detach(), weight)

    def _load_weights(self, kind: str) -> None:
        """Put the ``"mean"`` or ``"best"`` weights into the module, where there are any."""
        names = (name for name, _ in self._module.named_parameters())
        self._set(
            {n: self._weights[f"{kind}.{n}"] for n in names if f"{kind}.{n}" in self._weights}
        )

    def _set(self, weights: Mapping[str, Tensor]) -> None:
        import torch

        with torch.no_grad():
            for name, value in self._module.named_parameters():
                if name in weights:
                    value.copy_(weights[name])

    def _resume(self) -> dict[str, Any]:
        if self._checkpoint is None:
            return {}
        return self._checkpoint.load(self._module, self._optimisers, self._weights)

    def _save_sometimes(self, step: int, progress: Mapping[str, Any]) -> None:
        if self._checkpoint is not None and step % self._checkpoint.every == 0:
            self._save(progress)

    def _save(self, progress: Mapping[str, Any]) -> None:
        if self._checkpoint is not None:
            self._checkpoint.save(self._module, self._optimisers, self._weights, progress)
