"""Nested cross-validation: which model family predicts unseen patients best.

The inner loop chooses each family's setting, the outer loop measures the choice on patients
that neither saw (Varma & Simon, BMC Bioinformatics 2006;7:91). The loss is the weighted log
loss, which rewards both ranking and calibration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.training.risk.arrays import Rows, Vector, log_losses
from clinical_nlp.training.risk.candidates import (
    Candidate,
    Setting,
    age_and_sex_baseline,
    candidates,
)
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.recipe import FitRecipe


@dataclass(frozen=True, slots=True)
class SettingResult:
    """One setting and its cross-validated loss, by fold."""

    setting: Setting
    losses: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean log loss over the folds."""
        return float(np.mean(self.losses))

    def excess_over(self, best: SettingResult) -> tuple[float, float]:
        """Mean difference in loss to another setting, fold by fold, and its standard error."""
        differences = np.subtract(self.losses, best.losses)
        error = np.std(differences, ddof=1) / np.sqrt(len(differences))
        return float(differences.mean()), float(error)


@dataclass(frozen=True, slots=True)
class NestedCvResult:
    """A model family in the outer loop.

    Parameters
    ----------
    loss
        Mean weighted log loss on held-out patients.
    excess, error
        Loss beyond the best family's, and the standard error of that difference over patients.
    log_odds
        Of every example, by the model that was fitted without its patient.
    settings
        Chosen by the inner loop, by outer fold.
    models
        Fitted without the patients of each outer fold.
    """

    name: str
    loss: float
    excess: float
    error: float
    log_odds: Vector
    settings: tuple[Setting, ...]
    models: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """The families compared and the one selected.

    Parameters
    ----------
    baseline
        Age and sex only; compared, never selected.
    competitors
        The recipe's families, simplest first.
    results
        Of the baseline, then of the competitors.
    winner
        Result of the family selected.
    fold
        Outer fold of each example: shape (examples,).
    """

    baseline: Candidate
    competitors: tuple[Candidate, ...]
    results: tuple[NestedCvResult, ...]
    winner: NestedCvResult
    fold: Rows


def select_family(data: Data, table: FeatureTable, recipe: FitRecipe) -> Selection:
    """Compare the recipe's families and the baseline, and select one family."""
    baseline, competitors = age_and_sex_baseline(table, recipe), candidates(table, recipe)
    results = nested_cv([baseline, *competitors], data, recipe.folds, recipe.seed)
    best = simplest_family(results[1:])
    fold = fold_of_examples(data, recipe)
    return Selection(baseline, tuple(competitors), tuple(results), best, fold)


def simplest_setting(results: Sequence[SettingResult]) -> SettingResult:
    """Return the first (simplest) setting within one standard error of the best.

    The one-standard-error rule (Hastie, Tibshirani & Friedman, The Elements of Statistical
    Learning, 2nd ed., section 7.10), with the error of the difference between the two,
    fold by fold: with rare outcomes the folds differ far more than the settings do.
    """
    best = min(results, key=lambda result: result.mean)
    for result in results:
        excess, error = result.excess_over(best)
        if excess <= error:
            return result
    return best


def simplest_family(results: Sequence[NestedCvResult]) -> NestedCvResult:
    """Return the first (simplest) family within one standard error of the best."""
    best = min(results, key=lambda result: result.loss)
    return next((result for result in results if result.excess <= result.error), best)


def choose_setting(candidate: Candidate, data: Data, folds: int, seed: int) -> Setting:
    """Choose a candidate's setting by cross-validation, patients kept whole."""
    if len(candidate.settings) == 1:
        return candidate.settings[0]
    splits = list(patient_folds(data, folds, seed))
    results = []
    for setting in candidate.settings:
        losses = []
        for train, held_out in splits:
            test = data.take(held_out)
            z = candidate.log_odds(candidate.fit(data.take(train), setting), test)
            losses.append(float(np.average(log_losses(test.outcome, z), weights=test.weight)))
        results.append(SettingResult(setting, tuple(losses)))
    return simplest_setting(results).setting


def tune_and_fit(candidate: Candidate, data: Data, folds: int, seed: int) -> tuple[Any, Setting]:
    """Choose a setting by cross-validation, then fit all of the data with it."""
    setting = choose_setting(candidate, data, folds, seed)
    return candidate.fit(data, setting), setting


def out_of_fold_log_odds(
    candidate: Candidate, data: Data, folds: int, seed: int
) -> tuple[Vector, tuple[Setting, ...], tuple[Any, ...]]:
    """Log-odds of each example by the model tuned and fitted without its patient.

    Returns
    -------
    tuple
        Log-odds, shape (examples,), and the setting and the model of each outer fold.
    """
    z = np.zeros(len(data))
    settings, models = [], []
    for train, held_out in patient_folds(data, folds, seed):
        model, setting = tune_and_fit(candidate, data.take(train), folds, seed + 1)
        z[held_out] = candidate.log_odds(model, data.take(held_out))
        settings.append(setting)
        models.append(model)
    return z, tuple(settings), tuple(models)


def nested_cv(
    competitors: Sequence[Candidate], data: Data, folds: int, seed: int
) -> list[NestedCvResult]:
    """Measure every family on patients that its fit and its setting did not see.

    Returns
    -------
    list of NestedCvResult
        In the order given.
    """
    predicted = [out_of_fold_log_odds(candidate, data, folds, seed) for candidate in competitors]
    losses = [log_losses(data.outcome, z) for z, _, _ in predicted]
    means = [float(np.average(loss, weights=data.weight)) for loss in losses]
    best = int(np.argmin(means))
    return [
        NestedCvResult(
            candidate.name,
            mean,
            mean - means[best],
            clustered_error(loss - losses[best], data),
            *out,
        )
        for candidate, out, loss, mean in zip(competitors, predicted, losses, means, strict=True)
    ]


def patient_folds(data: Data, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Rows of the training and the held-out part of each fold, patients kept whole."""
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    yield from splitter.split(data.features, data.outcome, groups=data.patients)


def fold_of_examples(data: Data, recipe: FitRecipe) -> Rows:
    """Number of the fold that each example is held out in: shape (examples,)."""
    fold = np.zeros(len(data), dtype=np.int_)
    for number, (_, held_out) in enumerate(patient_folds(data, recipe.folds, recipe.seed)):
        fold[held_out] = number
    return fold


def clustered_error(difference: Vector, data: Data) -> float:
    """Standard error of a weighted mean, clustered by patient."""
    mean = np.average(difference, weights=data.weight)
    _, member = np.unique(data.patients, return_inverse=True)
    sums = np.bincount(member, weights=data.weight * (difference - mean))
    return float(np.sqrt((sums**2).sum()) / data.weight.sum())
