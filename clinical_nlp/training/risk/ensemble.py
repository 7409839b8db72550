"""Bootstrap members of a model: how far an estimate would move with other patients.

Each member is fitted on patients drawn again with replacement, with the chosen setting, and
calibrated on calibration patients drawn again; the spread of the members' estimates for one
patient is the interval around that patient's estimate (Steyerberg, Clinical Prediction
Models, 2nd ed., chapter 5).
"""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline

from clinical_nlp.training.risk.candidates import BoostingCandidate, Setting
from clinical_nlp.training.risk.dataset import Data, Matrix
from clinical_nlp.training.risk.fit import platt
from clinical_nlp.training.risk.measures import Vector, resamples
from clinical_nlp.training.risk.sign_constrained import Prior, fit_bounded

#: Trees are slow to draw from: this many members at most of a boosted model.
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
    """Refit a logistic model on resampled patients, on the fitted model's own scale.

    Returns
    -------
    ndarray of shape (members, features + 1)
        Calibrated coefficients on the scaled columns, then the intercept.
    """
    columns, whole = model[:-1].transform(train.features), model[-1]
    judged = model[:-1].transform(calibration.features)
    start = np.append(whole.intercept_, whole.coef_[0])
    scaled = train.weight / train.weight.mean()
    result = np.empty((members, columns.shape[1] + 1))
    draws = zip(
        resamples(train.patients, members, seed),
        resamples(calibration.patients, members, seed + 1),
        strict=True,
    )
    for number, (rows, held) in enumerate(draws):
        weight = scaled * np.bincount(rows, minlength=len(scaled))
        kept = np.flatnonzero(weight)
        fitted = fit_bounded(
            columns[kept], train.outcome[kept], weight[kept], strength, prior, start
        )
        coefficients, intercept = fitted.coef_[0], float(fitted.intercept_[0])
        slope, shift = _line(calibration, judged @ coefficients + intercept, held)
        result[number] = np.append(slope * coefficients, slope * intercept + shift)
    return result


def boosted_members(
    candidate: BoostingCandidate, train: Data, setting: Setting, members: int, seed: int
) -> list[Pipeline]:
    """Refit a boosted model on resampled patients; the model's own calibration holds for all."""
    return [
        candidate.fit(train.take(rows), setting)
        for rows in resamples(train.patients, min(members, MAX_BOOSTED), seed)
    ]


def _line(calibration: Data, log_odds: Vector, rows: np.ndarray) -> tuple[float, float]:  # type: ignore[type-arg]
    outcome = calibration.outcome[rows]
    if not 0 < outcome.sum() < len(outcome):
        return 1.0, 0.0
    return platt(outcome, log_odds[rows], calibration.weight[rows])
