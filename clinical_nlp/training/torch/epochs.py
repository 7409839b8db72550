"""What a run by epochs goes through, and where it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Batch = TypeVar("Batch")

#: Called after each step of a run by epochs: steps done, steps in all, mean loss of the epoch.
OnEpochStep = Callable[[int, int, float], None]
#: Called after each epoch: its number from 1, its loss, its validation score if there is one.
OnEpoch = Callable[[int, float, float | None], None]


@dataclass(frozen=True, slots=True)
class StepLoss:
    """Summed loss of a step, and over how many items (words, examples) it is summed."""

    total: float
    count: int = 1


@dataclass
class Progress:
    """State and history of a run by epochs.

    Attributes
    ----------
    step
        Steps done.
    losses
        Mean loss of every finished epoch.
    scores
        Validation score of every finished epoch; empty without validation.
    best
        Highest score so far.
    waited
        Epochs since the last one that was as good.
    averaged
        Additions to the average of the weights.
    loss_sum, count
        Of the epoch under way.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    best: float = -math.inf
    waited: int = 0
    averaged: int = 0
    loss_sum: float = 0.0
    count: int = 0


@dataclass(frozen=True)
class EpochPlan(Generic[Batch]):
    """What a run by epochs goes through.

    Attributes
    ----------
    epochs
        Most epochs.
    steps
        Steps of an epoch, for the schedule; an epoch may have a few batches more or fewer.
    batches
        Gives the batches of an epoch from one of them on, both counted from 0.
    backward
        Adds a batch's gradients to the parameters.
    evaluate
        Gives the validation score of the current weights in evaluation mode, higher is better.
    patience
        Epochs without a better score after which training stops; the weights of the best epoch
        are kept. ``None``: all epochs are run and the last weights are kept.
    min_improvement
        By how much a score must exceed the best one to be better.
    average_from
        Share of all steps after which the weights are averaged. The average is then what is
        evaluated and kept. 1: no average.
    """

    epochs: int
    steps: int
    batches: Callable[[int, int], Iterable[Batch]]
    backward: Callable[[Batch], StepLoss]
    evaluate: Callable[[], float] | None = None
    patience: int | None = None
    min_improvement: float = 0.0
    average_from: float = 1.0
