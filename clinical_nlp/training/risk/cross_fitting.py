"""Fits on every patient, and measures each by a model that was fitted without that patient.

No patient is set aside: with few outcomes, a model fitted on half of the patients is a worse
one, and a test on a quarter of them a noisy one (Steyerberg et al., J Clin Epidemiol
2001;54:774). The model that ships is fitted on everyone. Its Platt scaling is fitted on
out-of-fold log-odds, and what is measured are out-of-fold probabilities, for which the line too
is fitted on the other folds alone (cross-fitting).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.timeline import Origin
from clinical_nlp.training.risk.arrays import Rows, Vector, inverse_logit
from clinical_nlp.training.risk.calibrated_model import CalibratedModel
from clinical_nlp.training.risk.calibration import platt_scaling
from clinical_nlp.training.risk.candidates import Candidate, Setting
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import has_both_outcomes
from clinical_nlp.training.risk.model_selection import (
    NestedCvResult,
    Selection,
    choose_setting,
    fold_of_examples,
    nested_cv,
)
from clinical_nlp.training.risk.recipe import FitRecipe


@dataclass(frozen=True, slots=True)
class CrossFittedModel:
    """A model fitted on everyone, with those fitted without each fold of the patients.

    Parameters
    ----------
    final
        Fitted on everyone: what ships.
    folds
        The model of each fold, fitted and calibrated on the patients of the others.
    fold_of
        Fold of each patient.
    out_of_fold
        Probability of each example by its fold's model: shape (examples,).
    """

    final: CalibratedModel
    folds: tuple[CalibratedModel, ...]
    fold_of: Mapping[str, int] = field(repr=False)
    out_of_fold: Vector = field(repr=False)

    @property
    def candidate(self) -> Candidate:
        """The family."""
        return self.final.candidate

    @property
    def setting(self) -> Setting:
        """Chosen on everyone."""
        return self.final.setting

    def held_out(self, data: Data) -> Vector:
        """Probability of examples of these patients, by models that have not seen them.

        A patient of no fold was not fitted on at all, and is scored by the final model.
        """
        fold = np.array([self.fold_of.get(p, -1) for p in data.patients.tolist()], dtype=np.int_)
        probability = np.zeros(len(data))
        for number in np.unique(fold):
            rows = np.flatnonzero(fold == number)
            model = self.final if number < 0 else self.folds[number]
            probability[rows] = model.probability(data.take(rows))
        return probability


@dataclass(frozen=True, slots=True)
class FittedModels:
    """The selected model, the baseline of age and sex, and all models by name."""

    selected: CrossFittedModel
    baseline: CrossFittedModel
    by_name: Mapping[str, CrossFittedModel]


def fit_all(selection: Selection, data: Data, recipe: FitRecipe) -> FittedModels:
    """Tune, fit and calibrate every candidate on everyone, out of fold where it is measured."""
    models: dict[str, CrossFittedModel] = {}
    for candidate, result in zip(
        (selection.baseline, *selection.competitors), selection.results, strict=True
    ):
        setting = choose_setting(candidate, data, recipe.folds, recipe.seed)
        models[candidate.name] = _cross_fitted(candidate, setting, data, selection.fold, result)
    return FittedModels(models[selection.winner.name], models[selection.baseline.name], models)


def fit_cross_fitted(
    candidate: Candidate, data: Data, recipe: FitRecipe, setting: Setting | None = None
) -> CrossFittedModel:
    """Fit one candidate on everyone, and out of fold; its setting is chosen where not given."""
    fold = fold_of_examples(data, recipe)
    if setting is None:
        (result,) = nested_cv([candidate], data, recipe.folds, recipe.seed)
        setting = choose_setting(candidate, data, recipe.folds, recipe.seed)
    else:
        fixed = _FixedSetting(candidate, setting)
        (result,) = nested_cv([fixed], data, recipe.folds, recipe.seed)
    return _cross_fitted(candidate, setting, data, fold, result)


class _FixedSetting:
    """A candidate with one setting: nothing is left to choose."""

    def __init__(self, candidate: Candidate, setting: Setting) -> None:
        self.name = candidate.name
        self.settings = [setting]
        self.fit = candidate.fit
        self.log_odds = candidate.log_odds


def out_of_fold_by_name(
    models: FittedModels, fold: Rows, data: Data, table: FeatureTable
) -> dict[str, Vector]:
    """Out-of-fold probabilities of every example, by model.

    ``"model"`` is the selected one; the others are the families beside it, the baseline, and
    the selected family refitted on each source of data alone.
    """
    selected = models.selected
    probabilities = {"model": selected.out_of_fold}
    for name, model in models.by_name.items():
        if model is not selected:
            probabilities[name] = model.out_of_fold
    for origin, name in ((Origin.STRUCTURED, "structured data only"), (Origin.NOTE, "notes only")):
        part = data.from_origin(origin, table)
        probabilities[name] = out_of_fold(selected.candidate, selected.setting, part, fold)
    return probabilities


def out_of_fold(candidate: Candidate, setting: Setting, data: Data, fold: Rows) -> Vector:
    """Calibrated probability of each example by a candidate fitted without its patient.

    Parameters
    ----------
    fold
        Of each example; patients are whole.
    """
    log_odds = np.zeros(len(data))
    for number in np.unique(fold):
        rows = np.flatnonzero(fold == number)
        model = candidate.fit(data.take(np.flatnonzero(fold != number)), setting)
        log_odds[rows] = candidate.log_odds(model, data.take(rows))
    return _probability(log_odds, fold, _lines(data, log_odds, fold))


def _cross_fitted(
    candidate: Candidate, setting: Setting, data: Data, fold: Rows, result: NestedCvResult
) -> CrossFittedModel:
    model: Any = candidate.fit(data, setting)
    line = platt_scaling(data.outcome, result.log_odds, data.weight)
    lines = _lines(data, result.log_odds, fold)
    folds = tuple(
        CalibratedModel(candidate, fitted, chosen, fold_line)
        for fitted, chosen, fold_line in zip(result.models, result.settings, lines, strict=True)
    )
    probability = _probability(result.log_odds, fold, lines)
    fold_of = dict(zip(data.patients.tolist(), fold.tolist(), strict=True))
    final = CalibratedModel(candidate, model, setting, line)
    return CrossFittedModel(final, folds, fold_of, probability)


def _lines(data: Data, log_odds: Vector, fold: Rows) -> list[tuple[float, float]]:
    """Platt scaling for each fold, on the out-of-fold log-odds of the others."""
    lines = []
    for number in range(int(fold.max()) + 1):
        others = np.flatnonzero(fold != number)
        outcome = data.outcome[others]
        if not has_both_outcomes(outcome):
            others = np.arange(len(data))
            outcome = data.outcome
        lines.append(platt_scaling(outcome, log_odds[others], data.weight[others]))
    return lines


def _probability(log_odds: Vector, fold: Rows, lines: Sequence[tuple[float, float]]) -> Vector:
    """Apply each fold's line to its examples' log-odds."""
    slope, intercept = np.array(lines)[fold].T
    return inverse_logit(slope * log_odds + intercept, bound=40.0)
