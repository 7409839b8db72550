"""Fitted candidates with their Platt scaling, and what they predict for the test patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.timeline import Origin
from clinical_nlp.training.risk.arrays import Vector, inverse_logit
from clinical_nlp.training.risk.calibration import platt_scaling
from clinical_nlp.training.risk.candidates import Candidate, Setting
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.model_selection import Selection, choose_setting
from clinical_nlp.training.risk.recipe import FitRecipe
from clinical_nlp.training.risk.split import CohortSplit


@dataclass(frozen=True, slots=True)
class CalibratedModel:
    """A fitted candidate; ``line`` is slope and intercept of its Platt scaling."""

    candidate: Candidate
    model: Any
    setting: Setting
    line: tuple[float, float]

    def probability(self, data: Data) -> Vector:
        """Calibrated probability of each example."""
        slope, intercept = self.line
        z = slope * self.candidate.log_odds(self.model, data) + intercept
        return inverse_logit(z, bound=40.0)

    def refit_log_odds(self, train: Data, test: Data) -> Vector:
        """Log-odds of ``test`` by the same candidate and setting, fitted on ``train``."""
        return self.candidate.log_odds(self.candidate.fit(train, self.setting), test)


@dataclass(frozen=True, slots=True)
class FittedModels:
    """The selected model, the baseline of age and sex, and all models by name."""

    selected: CalibratedModel
    baseline: CalibratedModel
    by_name: Mapping[str, CalibratedModel]


def fit_calibrated(
    candidate: Candidate, setting: Setting, train: Data, calibration: Data
) -> CalibratedModel:
    """Fit on ``train`` and calibrate on ``calibration``, patients that the fit has not seen."""
    model = candidate.fit(train, setting)
    log_odds = candidate.log_odds(model, calibration)
    line = platt_scaling(calibration.outcome, log_odds, calibration.weight)
    return CalibratedModel(candidate, model, setting, line)


def fit_all(
    selection: Selection, train: Data, calibration: Data, recipe: FitRecipe
) -> FittedModels:
    """Tune and fit every candidate on ``train``, and calibrate it on ``calibration``."""
    models = {
        candidate.name: fit_calibrated(
            candidate,
            choose_setting(candidate, train, recipe.folds, recipe.seed),
            train,
            calibration,
        )
        for candidate in (selection.baseline, *selection.competitors)
    }
    return FittedModels(models[selection.winner.name], models[selection.baseline.name], models)


def predict_test(
    models: FittedModels, split: CohortSplit, table: FeatureTable
) -> dict[str, Vector]:
    """Probabilities of the test examples, by model.

    ``"model"`` is the selected one; the others are the families beside it, the baseline, and
    the selected family refitted on each source of data alone.
    """
    selected = models.selected
    probabilities = {"model": selected.probability(split.test)}
    for name, model in models.by_name.items():
        if model is not selected:
            probabilities[name] = model.probability(split.test)
    for origin, name in ((Origin.STRUCTURED, "structured data only"), (Origin.NOTE, "notes only")):
        train, calibration, test = (
            part.from_origin(origin, table) for part in (split.train, split.calibration, split.test)
        )
        refitted = fit_calibrated(selected.candidate, selected.setting, train, calibration)
        probabilities[name] = refitted.probability(test)
    return probabilities
