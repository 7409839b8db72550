"""How good a risk model is: discrimination, calibration, alerts, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

Vector = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its 95% bootstrap interval over patients."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def logit(probability: Vector) -> Vector:
    """Log-odds; probabilities are kept within 1e-9 of 0 and 1."""
    p = np.clip(probability, 1e-9, 1 - 1e-9)
    result: Vector = np.log(p / (1 - p))
    return result


def log_losses(outcome: Labels, log_odds: Vector) -> Vector:
    """Negative log likelihood of each example, from its log-odds."""
    losses: Vector = np.logaddexp(0, log_odds) - outcome * log_odds
    return losses


def logistic_line(
    outcome: Labels, x: Vector, weight: Vector, free_slope: bool = True
) -> tuple[float, float]:
    """Fit the log-odds of the outcome as ``intercept + slope * x``.

    Newton's method with step halving; as likely a line as the weights allow.

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
    kept = np.array([True, free_slope])
    loss = _loss(beta, design, outcome, weight)
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -700, 700)))
        gradient = design[:, kept].T @ (weight * (outcome - p))
        curvature = (design[:, kept] * (weight * p * (1 - p))[:, None]).T @ design[:, kept]
        step = np.zeros(2)
        step[kept] = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        while (tried := _loss(beta + step, design, outcome, weight)) > loss:
            step /= 2
            if np.abs(step).max() < 1e-10:
                break
        gain, loss = loss - tried, min(loss, tried)
        if gain <= 0:
            break
        beta = beta + step
        if gain < 1e-12 * float(weight.sum()):
            break
    return float(beta[0] - beta[1] * centre), float(beta[1])


def _loss(beta: Vector, design: Vector, outcome: Labels, weight: Vector) -> float:
    """Negative log likelihood of a line."""
    z = design @ beta
    return float(weight @ (np.logaddexp(0, z) - outcome * z))


def calibration_line(outcome: Labels, probability: Vector, weight: Vector) -> tuple[float, float]:
    """Intercept and slope of calibration.

    The slope is that of the outcome's log-odds on the predicted ones: 1 is ideal, less is
    too extreme. The intercept is taken with the slope fixed at 1 ("calibration in the
    large"): 0 is ideal, less is too high. Van Calster et al., BMC Med 2019;17:230.
    """
    x = logit(probability)
    intercept, _ = logistic_line(outcome, x, weight, free_slope=False)
    return intercept, logistic_line(outcome, x, weight)[1]


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
            share = weight[rows]
            predicted = float(np.average(probability[rows], weights=share))
            observed = float(np.average(outcome[rows], weights=share))
            curve.append((predicted, observed, float(share.sum())))
    return curve


def expected_calibration_error(outcome: Labels, probability: Vector, weight: Vector) -> float:
    """Mean distance of predicted and observed risk over ten equal groups."""
    curve = calibration_curve(outcome, probability, weight)
    return sum(w * abs(p - o) for p, o, w in curve) / float(weight.sum())


_MEASURES: Mapping[str, Callable[[Labels, Vector, Vector], float]] = {
    "auroc": lambda y, p, w: float(roc_auc_score(y, p, sample_weight=w)),
    "auprc": lambda y, p, w: float(average_precision_score(y, p, sample_weight=w)),
    "brier": lambda y, p, w: float(np.average((y - p) ** 2, weights=w)),
    "calibration_intercept": lambda y, p, w: calibration_line(y, p, w)[0],
    "calibration_slope": lambda y, p, w: calibration_line(y, p, w)[1],
    "ece": expected_calibration_error,
}


def resamples(
    patients: Sequence[str] | npt.NDArray[np.str_], number: int, seed: int
) -> Iterator[npt.NDArray[np.int_]]:
    """Yield the rows of bootstrap samples: a patient is drawn with all their examples."""
    _, member = np.unique(np.asarray(patients), return_inverse=True)
    order = np.argsort(member, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(member))[:-1])
    generator = np.random.default_rng(seed)
    for _ in range(number):
        yield np.concatenate([rows[i] for i in generator.integers(0, len(rows), len(rows))])


def with_intervals(
    measure: Callable[[npt.NDArray[np.int_]], Mapping[str, float]],
    patients: Sequence[str] | npt.NDArray[np.str_],
    number: int,
    seed: int,
) -> dict[str, Measure]:
    """Measure all examples, and the 95% interval of each number by bootstrap over patients.

    Parameters
    ----------
    measure
        From row numbers to named numbers; NaN or none where a sample does not allow one.
    """
    whole = measure(np.arange(len(patients)))
    draws: dict[str, list[float]] = {name: [] for name in whole}
    for rows in resamples(patients, number, seed):
        for name, value in measure(rows).items():
            if name in draws and math.isfinite(value):
                draws[name].append(value)
    result = {}
    for name, value in whole.items():
        low, high = np.quantile(draws[name], [0.025, 0.975]) if draws[name] else (np.nan, np.nan)
        result[name] = Measure(value, float(low), float(high))
    return result


def assess(
    outcome: Labels,
    probability: Vector,
    weight: Vector,
    patients: Sequence[str] | npt.NDArray[np.str_],
    number: int,
    seed: int,
) -> dict[str, Measure]:
    """Measure predictions, with intervals by bootstrap over patients.

    Parameters
    ----------
    outcome, probability
        Shape (examples,).
    weight
        Patients of the population that each example stands for; measures are those of
        the population, at its prevalence.
    patients
        Whose example each is.
    number
        Bootstrap resamples; those that draw no outcome, or only outcomes, are dropped.
    seed
        Of the draws.
    """

    def measure(rows: npt.NDArray[np.int_]) -> Mapping[str, float]:
        y, p, w = outcome[rows], probability[rows], weight[rows]
        if not 0 < y.sum() < len(y):
            return {name: math.nan for name in _MEASURES}
        return {name: function(y, p, w) for name, function in _MEASURES.items()}

    return with_intervals(measure, patients, number, seed)
