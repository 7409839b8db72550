"""How good a risk model is: each measure with its bootstrap interval over patients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from clinical_nlp.training.risk.arrays import Labels, PatientIds, Rows, Vector
from clinical_nlp.training.risk.calibration import (
    calibration_intercept_slope,
    expected_calibration_error,
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its 95% bootstrap interval over patients."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


_MEASURES: Mapping[str, Callable[[Labels, Vector, Vector], float]] = {
    "auroc": lambda y, p, w: float(roc_auc_score(y, p, sample_weight=w)),
    "auprc": lambda y, p, w: float(average_precision_score(y, p, sample_weight=w)),
    "brier": lambda y, p, w: float(np.average((y - p) ** 2, weights=w)),
    "calibration_intercept": lambda y, p, w: calibration_intercept_slope(y, p, w)[0],
    "calibration_slope": lambda y, p, w: calibration_intercept_slope(y, p, w)[1],
    "ece": expected_calibration_error,
}


def has_both_outcomes(outcome: Labels) -> bool:
    """Whether examples with and without the outcome are there, as an AUROC needs."""
    return bool(0 < outcome.sum() < len(outcome))


def resamples(patients: Sequence[str] | PatientIds, number: int, seed: int) -> Iterator[Rows]:
    """Yield the rows of bootstrap samples: a patient is drawn with all their examples."""
    _, member = np.unique(np.asarray(patients), return_inverse=True)
    order = np.argsort(member, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(member))[:-1])
    rng = np.random.default_rng(seed)
    for _ in range(number):
        yield np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])


def with_intervals(
    measure: Callable[[Rows], Mapping[str, float]],
    patients: Sequence[str] | PatientIds,
    number: int,
    seed: int,
) -> dict[str, Measure]:
    """Measure all examples, and the 95% interval of each number by bootstrap over patients.

    Parameters
    ----------
    measure
        From row numbers to named numbers; NaN or none where a sample does not allow one.
    """
    values = measure(np.arange(len(patients)))
    draws: dict[str, list[float]] = {name: [] for name in values}
    for rows in resamples(patients, number, seed):
        for name, value in measure(rows).items():
            if name in draws and math.isfinite(value):
                draws[name].append(value)
    result = {}
    for name, value in values.items():
        low, high = np.quantile(draws[name], [0.025, 0.975]) if draws[name] else (np.nan, np.nan)
        result[name] = Measure(value, float(low), float(high))
    return result


def assess(
    outcome: Labels,
    probability: Vector,
    weight: Vector,
    patients: Sequence[str] | PatientIds,
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

    def measure(rows: Rows) -> Mapping[str, float]:
        y, p, w = outcome[rows], probability[rows], weight[rows]
        if not has_both_outcomes(y):
            return {name: math.nan for name in _MEASURES}
        return {name: function(y, p, w) for name, function in _MEASURES.items()}

    return with_intervals(measure, patients, number, seed)
