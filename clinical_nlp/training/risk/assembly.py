"""Assembles the parts that ship: classifier, bootstrap members and spec.

The members say how far an estimate would move with other patients. Each is fitted with the
chosen setting on a bootstrap sample of the training patients, and calibrated on one of the
calibration patients; the spread of the members' estimates for a patient is the interval around
that patient's estimate (Steyerberg, Clinical Prediction Models, 2nd ed., chapter 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.model_artifacts import ENSEMBLE, NETWORK, ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec
from clinical_nlp.training.risk.arrays import Matrix
from clinical_nlp.training.risk.calibrated_model import CalibratedModel
from clinical_nlp.training.risk.calibration import platt_scaling
from clinical_nlp.training.risk.candidates import BoostingCandidate, Setting
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.logistic import Prior, fit_sign_constrained, reference_patient
from clinical_nlp.training.risk.measures import has_both_outcomes, resamples
from clinical_nlp.training.risk.network import weights_of
from clinical_nlp.training.risk.recipe import FitRecipe

#: Most members of a boosted model: trees are slow to evaluate.
MAX_BOOSTED = 20


def assemble(
    selected: CalibratedModel,
    train: Data,
    calibration: Data,
    table: FeatureTable,
    recipe: FitRecipe,
    cohort_fields: Mapping[str, Any],
) -> ModelArtifacts:
    """Put classifier, bootstrap members and spec together.

    Parameters
    ----------
    train, calibration
        Examples that the model was fitted and calibrated on.
    cohort_fields
        Fields of the spec that the cohort decides.
    """
    model, setting = selected.model, selected.setting
    fields: dict[str, Any] = {
        **cohort_fields,
        "features": table.names,
        "table_digest": table.digest,
        "reference": reference_patient(train.features),
        "family": selected.candidate.name,
        "calibration": selected.line,
        "max_age": max(timeline.age or 0 for timeline in train.timelines),
    }
    members, seed = recipe.members, recipe.seed
    if fields["family"] == "sequence":
        spec = ModelSpec(**fields, network=model.shape)
        return ModelArtifacts(None, spec, weights_of(model.network, NETWORK))
    if fields["family"] == "boosting":
        candidate: Any = selected.candidate
        trees = [model, *boosted_members(candidate, train, setting, members, seed)]
        return ModelArtifacts(trees, ModelSpec(**fields))
    ensemble = logistic_members(
        model, train, calibration, setting["strength"], Prior.of(table), members, seed
    )
    return ModelArtifacts(model, ModelSpec(**fields), {ENSEMBLE: ensemble})


def logistic_members(
    model: Pipeline,
    train: Data,
    calibration: Data,
    strength: float,
    prior: Prior,
    members: int,
    seed: int,
) -> Matrix:
    """Refit a logistic model on bootstrap samples of patients, on the fitted model's scale.

    Returns
    -------
    ndarray of shape (members, features + 1)
        Calibrated coefficients on the scaled columns, then the intercept.
    """
    columns, fitted = model[:-1].transform(train.features), model[-1]
    held_out = model[:-1].transform(calibration.features)
    start = np.append(fitted.intercept_, fitted.coef_[0])
    scaled_weight = train.weight / train.weight.mean()
    result = np.empty((members, columns.shape[1] + 1))
    draws = zip(
        resamples(train.patients, members, seed),
        resamples(calibration.patients, members, seed + 1),
        strict=True,
    )
    for number, (rows, calibration_rows) in enumerate(draws):
        weight = scaled_weight * np.bincount(rows, minlength=len(scaled_weight))
        drawn = np.flatnonzero(weight)
        member = fit_sign_constrained(
            columns[drawn], train.outcome[drawn], weight[drawn], strength, prior, start
        )
        coefficients, intercept = member.coef_[0], float(member.intercept_[0])
        log_odds = held_out @ coefficients + intercept
        y, slope, shift = calibration.outcome[calibration_rows], 1.0, 0.0
        if has_both_outcomes(y):
            w = calibration.weight[calibration_rows]
            slope, shift = platt_scaling(y, log_odds[calibration_rows], w)
        result[number] = np.append(slope * coefficients, slope * intercept + shift)
    return result


def boosted_members(
    candidate: BoostingCandidate, train: Data, setting: Setting, members: int, seed: int
) -> list[Pipeline]:
    """Refit a boosted model on bootstrap samples; all keep the model's own calibration."""
    return [
        candidate.fit(train.take(rows), setting)
        for rows in resamples(train.patients, min(members, MAX_BOOSTED), seed)
    ]
