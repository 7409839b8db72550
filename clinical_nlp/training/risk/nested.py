"""Nested cross-validation: which kind of model predicts patients it has not seen.

The inner loop chooses each kind's setting, the outer loop judges the choice on patients that
neither saw (Varma & Simon, BMC Bioinformatics 2006;7:91). The loss is the weighted log
loss, which rewards ranking and calibration both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from clinical_nlp.training.risk.candidates import Candidate, Setting
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import Vector, log_losses


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting and its cross-validated loss, by fold."""

    setting: Setting
    losses: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean log loss over the folds."""
        return float(np.mean(self.losses))

    def worse_than(self, best: Choice) -> tuple[float, float]:
        """Mean difference in loss to another choice, fold by fold, and its standard error."""
        differences = np.subtract(self.losses, best.losses)
        error = np.std(differences, ddof=1) / np.sqrt(len(differences))
        return float(differences.mean()), float(error)


@dataclass(frozen=True, slots=True)
class NestedCvResult:
    """A kind of model in the outer loop.

    Parameters
    ----------
    loss
        Mean weighted log loss on held-out patients.
    worse, error
        Loss beyond the best kind's, and the standard error of that difference over patients.
    log_odds
        Of every example, by the model that did not see its patient.
    settings
        Chosen by the inner loop, by outer fold.
    """

    name: str
    loss: float
    worse: float
    error: float
    log_odds: Vector
    settings: tuple[Setting, ...]


def simplest(choices: Sequence[Choice]) -> Choice:
    """Return the first (simplest) choice within one standard error of the best.

    The one-standard-error rule (Hastie, Tibshirani & Friedman, The Elements of Statistical
    Learning, 2nd ed., section 7.10), with the error of the difference between the two,
    fold by fold: with rare outcomes the folds differ far more than the choices do.
    """
    best = min(choices, key=lambda choice: choice.mean)
    for choice in choices:
        difference, error = choice.worse_than(best)
        if difference <= error:
            return choice
    return best


def choose_setting(candidate: Candidate, data: Data, folds: int, seed: int) -> list[Choice]:
    """Cross-validate every setting of a candidate, patients kept whole, in order."""
    splits = list(_folds(data, folds, seed))
    choices = []
    for setting in candidate.settings:
        losses = []
        for train, held_out in splits:
            judged = data.take(held_out)
            z = candidate.log_odds(candidate.fit(data.take(train), setting), judged)
            losses.append(float(np.average(log_losses(judged.outcome, z), weights=judged.weight)))
        choices.append(Choice(setting, tuple(losses)))
    return choices


def fit_best(candidate: Candidate, data: Data, folds: int, seed: int) -> tuple[Any, Setting]:
    """Choose a setting by cross-validation, then fit all of the data with it."""
    if len(candidate.settings) == 1:
        setting = candidate.settings[0]
    else:
        setting = simplest(choose_setting(candidate, data, folds, seed)).setting
    return candidate.fit(data, setting), setting


def nested(
    competitors: Sequence[Candidate], data: Data, folds: int, seed: int
) -> list[NestedCvResult]:
    """Judge every kind of model on patients that its fit and its setting did not see.

    Returns
    -------
    list of NestedCvResult
        In the order given.
    """
    found: list[tuple[Vector, tuple[Setting, ...]]] = []
    for candidate in competitors:
        z = np.zeros(len(data))
        settings = []
        for train, held_out in _folds(data, folds, seed):
            model, setting = fit_best(candidate, data.take(train), folds, seed + 1)
            z[held_out] = candidate.log_odds(model, data.take(held_out))
            settings.append(setting)
        found.append((z, tuple(settings)))
    losses = [log_losses(data.outcome, z) for z, _ in found]
    means = [float(np.average(loss, weights=data.weight)) for loss in losses]
    best = int(np.argmin(means))
    judged = []
    for candidate, (z, chosen), loss, mean in zip(competitors, found, losses, means, strict=True):
        error = clustered_error(loss - losses[best], data)
        judged.append(NestedCvResult(candidate.name, mean, mean - means[best], error, z, chosen))
    return judged


def winner(judged: Sequence[NestedCvResult]) -> NestedCvResult:
    """The first (simplest) kind within one standard error of the best."""
    best = min(judged, key=lambda one: one.loss)
    return next((one for one in judged if one.worse <= one.error), best)


def _folds(
    data: Data, folds: int, seed: int
) -> Iterator[tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]]:
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    yield from splitter.split(data.features, data.outcome, groups=data.patients)


def clustered_error(difference: Vector, data: Data) -> float:
    """Standard error of a weighted mean, examples of one patient taken together."""
    mean = np.average(difference, weights=data.weight)
    _, member = np.unique(data.patients, return_inverse=True)
    sums = np.bincount(member, weights=data.weight * (difference - mean))
    return float(np.sqrt((sums**2).sum()) / data.weight.sum())
