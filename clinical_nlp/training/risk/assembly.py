"""Assembles the parts that ship: classifier, bootstrap members and spec.

The members say how far an estimate would move with other patients. Each is fitted with the
chosen setting on a bootstrap sample of the patients, and calibrated on those that the sample
left out; the spread of the members' estimates for a patient is the interval around that
patient's estimate (Steyerberg, Clinical Prediction Models, 2nd ed., chapter 5).

The same members measure the optimism of measuring on the patients that a model was fitted on: what
they do better on their own sample than on everyone (Harrell et al., Stat Med 1996;15:361).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.model_artifacts import ENSEMBLE, NETWORK, ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec
from clinical_nlp.training.risk.arrays import Labels, Matrix, Vector
from clinical_nlp.training.risk.calibrated_model import CalibratedModel
from clinical_nlp.training.risk.calibration import fit_calibration_line, platt_scaling
from clinical_nlp.training.risk.candidates import BoostingCandidate, Setting
from clinical_nlp.training.risk.cross_fitting import FittedModels
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.logistic import Prior, fit_sign_constrained, reference_patient
from clinical_nlp.training.risk.measures import has_both_outcomes, resamples
from clinical_nlp.training.risk.network import weights_of
from clinical_nlp.training.risk.recipe import FitRecipe

#: Most members of a boosted model: trees are slow to evaluate.
MAX_BOOSTED = 20


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Bootstrap members of a logistic model, and what they say of it.

    Parameters
    ----------
    members
        Calibrated coefficients on the scaled columns, then the intercept, shape
        (members, features + 1).
    corrected
        AUROC and calibration slope of the uncalibrated model on everyone: ``apparent_…``,
        ``optimism_…`` and ``corrected_…``.
    """

    members: Matrix
    corrected: Mapping[str, float]


def assemble(
    models: FittedModels,
    data: Data,
    table: FeatureTable,
    recipe: FitRecipe,
    cohort_fields: Mapping[str, Any],
) -> tuple[ModelArtifacts, Mapping[str, float]]:
    """Put classifier, bootstrap members and spec together.

    Parameters
    ----------
    data
        Examples that the model was fitted on.
    cohort_fields
        Fields of the spec that the cohort decides.

    Returns
    -------
    ModelArtifacts, dict
        What ships, and :attr:`Bootstrap.corrected`: empty unless the model is logistic.
    """
    selected = models.selected.final
    model, setting = selected.model, selected.setting
    fields: dict[str, Any] = {
        **cohort_fields,
        "features": table.names,
        "table_digest": table.digest,
        "reference": reference_patient(data.features),
        "family": selected.candidate.name,
        "calibration": selected.line,
        "max_age": max(timeline.age or 0 for timeline in data.timelines),
        "usual": log_odds_by_age_and_sex(models.baseline.final, table),
    }
    members, seed = recipe.members, recipe.seed
    if fields["family"] == "sequence":
        spec = ModelSpec(**fields, network=model.shape)
        return ModelArtifacts(None, spec, weights_of(model.network, NETWORK)), {}
    if fields["family"] == "boosting":
        candidate: Any = selected.candidate
        trees = [model, *boosted_members(candidate, data, setting, members, seed)]
        return ModelArtifacts(trees, ModelSpec(**fields)), {}
    bootstrap = logistic_members(model, data, setting["strength"], Prior.of(table), members, seed)
    tensors = {ENSEMBLE: bootstrap.members}
    return ModelArtifacts(model, ModelSpec(**fields), tensors), bootstrap.corrected


def log_odds_by_age_and_sex(baseline: CalibratedModel, table: FeatureTable) -> dict[str, float]:
    """Weights of the baseline on the columns themselves, and its intercept, calibrated."""
    columns = [name for name in table.names if table.topic_of[name].key in ("age", "male")]
    rows = np.zeros((len(columns) + 1, len(table.names)))
    for number, name in enumerate(columns):
        rows[number + 1, table.names.index(name)] = 1.0
    unlabelled = Data(rows, (), np.zeros(len(rows), np.int_), np.ones(len(rows)), np.empty(0, "U1"))
    slope, shift = baseline.line
    at = slope * baseline.candidate.log_odds(baseline.model, unlabelled) + shift
    weights = {name: float(at[n + 1] - at[0]) for n, name in enumerate(columns)}
    return {"intercept": float(at[0]), **weights}


def logistic_members(
    model: Pipeline, data: Data, strength: float, prior: Prior, members: int, seed: int
) -> Bootstrap:
    """Refit a logistic model on bootstrap samples of patients, on the fitted model's scale."""
    columns, fitted = model[:-1].transform(data.features), model[-1]
    start = np.append(fitted.intercept_, fitted.coef_[0])
    scaled_weight = data.weight / data.weight.mean()
    result = np.empty((members, columns.shape[1] + 1))
    optimism = []
    for number, rows in enumerate(resamples(data.patients, members, seed)):
        weight = scaled_weight * np.bincount(rows, minlength=len(scaled_weight))
        drawn, left_out = np.flatnonzero(weight), np.flatnonzero(weight == 0)
        member = fit_sign_constrained(
            columns[drawn], data.outcome[drawn], weight[drawn], strength, prior, start
        )
        beta = np.append(member.coef_[0], float(member.intercept_[0]))
        log_odds = columns @ beta[:-1] + beta[-1]
        slope, shift = 1.0, 0.0
        if has_both_outcomes(data.outcome[left_out]):
            slope, shift = platt_scaling(
                data.outcome[left_out], log_odds[left_out], data.weight[left_out]
            )
        result[number] = slope * beta
        result[number, -1] += shift
        if has_both_outcomes(data.outcome[drawn]):
            on_sample = _fit_measures(data.outcome[drawn], log_odds[drawn], weight[drawn])
            optimism.append(on_sample - _fit_measures(data.outcome, log_odds, data.weight))
    log_odds = columns @ fitted.coef_[0] + float(fitted.intercept_[0])
    apparent = _fit_measures(data.outcome, log_odds, data.weight)
    mean = np.mean(optimism, axis=0) if optimism else np.full(len(apparent), np.nan)
    return Bootstrap(result, _corrected(apparent, mean))


def _fit_measures(outcome: Labels, log_odds: Vector, weight: Vector) -> Vector:
    """AUROC and calibration slope."""
    auroc = roc_auc_score(outcome, log_odds, sample_weight=weight)
    return np.array([auroc, fit_calibration_line(outcome, log_odds, weight)[1]])


def _corrected(apparent: Vector, optimism: Vector) -> dict[str, float]:
    corrected = {}
    for name, value, excess in zip(("auroc", "slope"), apparent, optimism, strict=True):
        corrected[f"apparent_{name}"] = float(value)
        corrected[f"optimism_{name}"] = float(excess)
        corrected[f"corrected_{name}"] = float(value - excess)
    return corrected


def boosted_members(
    candidate: BoostingCandidate, train: Data, setting: Setting, members: int, seed: int
) -> list[Pipeline]:
    """Refit a boosted model on bootstrap samples; all keep the model's own calibration."""
    return [
        candidate.fit(train.take(rows), setting)
        for rows in resamples(train.patients, min(members, MAX_BOOSTED), seed)
    ]
