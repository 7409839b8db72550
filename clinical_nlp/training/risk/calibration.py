"""Calibration: how it is measured, and the line that mends it (Platt scaling)."""

from __future__ import annotations

import math

import numpy as np

from clinical_nlp.training.risk.arrays import Labels, Vector, inverse_logit, log_losses, logit


def fit_calibration_line(
    outcome: Labels, x: Vector, weight: Vector, free_slope: bool = True
) -> tuple[float, float]:
    """Fit the log-odds of the outcome as ``intercept + slope * x`` by maximum likelihood.

    Newton's method with step halving. ``studies/private_statistics.py`` compares it with
    scikit-learn and statsmodels: it is fitted in every bootstrap resample, so speed counts.

    Returns
    -------
    tuple of float
        Intercept and slope; the slope stays 1 where it is not free.
    """
    # Centred: intercept and slope are then nearly independent, and each step a good one.
    centre = float(np.average(x, weights=weight))
    design = np.column_stack([np.ones_like(x), x - centre])
    share = min(max(float(np.average(outcome, weights=weight)), 1e-6), 1 - 1e-6)
    beta = np.array([math.log(share / (1 - share)), 1.0])
    free = np.array([True, free_slope])
    loss = float(weight @ log_losses(outcome, design @ beta))
    for _ in range(100):
        p = inverse_logit(design @ beta)
        gradient = design[:, free].T @ (weight * (outcome - p))
        hessian = (design[:, free] * (weight * p * (1 - p))[:, None]).T @ design[:, free]
        step = np.zeros(2)
        step[free] = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        while (new_loss := float(weight @ log_losses(outcome, design @ (beta + step)))) > loss:
            step /= 2
            if np.abs(step).max() < 1e-10:
                break
        gain, loss = loss - new_loss, min(loss, new_loss)
        if gain <= 0:
            break
        beta = beta + step
        if gain < 1e-12 * float(weight.sum()):
            break
    return float(beta[0] - beta[1] * centre), float(beta[1])


def platt_scaling(outcome: Labels, log_odds: Vector, weight: Vector) -> tuple[float, float]:
    """Fit Platt scaling on examples of patients that the model was not fitted on.

    Returns
    -------
    tuple of float
        Slope and intercept of the calibrated log-odds. A slope that is not positive would
        reverse the ranking; then only the intercept is fitted.
    """
    intercept, slope = fit_calibration_line(outcome, log_odds, weight)
    if slope <= 0:
        intercept, slope = fit_calibration_line(outcome, log_odds, weight, free_slope=False)
    return slope, intercept


def calibration_intercept_slope(
    outcome: Labels, probability: Vector, weight: Vector
) -> tuple[float, float]:
    """Return the calibration intercept and slope.

    The slope is that of the outcome's log-odds on the predicted ones: 1 is ideal, less means
    predictions that are too extreme. The intercept is fitted with the slope fixed at 1
    ("calibration in the large"): 0 is ideal, less means predictions that are too high.
    Van Calster et al., BMC Med 2019;17:230.
    """
    x = logit(probability)
    intercept, _ = fit_calibration_line(outcome, x, weight, free_slope=False)
    return intercept, fit_calibration_line(outcome, x, weight)[1]


def calibration_curve(
    outcome: Labels, probability: Vector, weight: Vector, bins: int = 10
) -> list[tuple[float, float, float]]:
    """Mean predicted risk, observed share and weight of equal groups, lowest risk first."""
    order = np.argsort(probability, kind="stable")
    middle = np.cumsum(weight[order]) - weight[order] / 2
    group = np.minimum((bins * middle / weight.sum()).astype(np.int_), bins - 1)
    curve = []
    for number in range(bins):
        rows = order[group == number]
        if len(rows):
            weights = weight[rows]
            predicted = float(np.average(probability[rows], weights=weights))
            observed = float(np.average(outcome[rows], weights=weights))
            curve.append((predicted, observed, float(weights.sum())))
    return curve


def expected_calibration_error(outcome: Labels, probability: Vector, weight: Vector) -> float:
    """Mean distance of predicted and observed risk over ten equal groups."""
    curve = calibration_curve(outcome, probability, weight)
    return sum(w * abs(p - o) for p, o, w in curve) / float(weight.sum())
