"""Bootstrap members of a model: how far an estimate would move with other patients.

Each member is fitted with the chosen setting on a bootstrap sample of the training patients,
and calibrated on one of the calibration patients; the spread of the members' estimates for a
patient is the interval around that patient's estimate (Steyerberg, Clinical Prediction
Models, 2nd ed., chapter 5).
"""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline

from clinical_nlp.training.risk.arrays import Matrix, Rows, Vector
from clinical_nlp.training.risk.calibration import platt_scaling
from clinical_nlp.training.risk.candidates import BoostingCandidate, Setting
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import has_both_outcomes, resamples
from clinical_nlp.training.risk.sign_constrained import Prior, fit_sign_constrained

#: Most members of a boosted model: trees are slow to evaluate.
MAX_BOOSTED = 20


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
        slope, shift = _platt_line(calibration, log_odds, calibration_rows)
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


def _platt_line(calibration: Data, log_odds: Vector, rows: Rows) -> tuple[float, float]:
    outcome = calibration.outcome[rows]
    if not has_both_outcomes(outcome):
        return 1.0, 0.0
    return platt_scaling(outcome, log_odds[rows], calibration.weight[rows])
