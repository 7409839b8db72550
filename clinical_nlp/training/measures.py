"""How good a risk model is: discrimination, calibration, alerts, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

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


def calibration_line(outcome: Labels, probability: Vector) -> tuple[float, float]:
    """Intercept and slope of calibration.

    The slope is that of the outcome's log-odds on the predicted ones: 1 is ideal, less is
    too extreme. The intercept is taken with the slope fixed at 1 ("calibration in the
    large"): 0 is ideal, less is too high. Van Calster et al., BMC Med 2019;17:230.
    """
    x = logit(probability)
    free = LogisticRegression(C=np.inf).fit(x.reshape(-1, 1), outcome)
    return _offset_intercept(outcome, x), float(free.coef_[0, 0])


def _offset_intercept(outcome: Labels, x: Vector) -> float:
    """Newton's method for the intercept alone, with the log-odds as offset."""
    intercept = 0.0
    for _ in range(50):
        p = 1 / (1 + np.exp(-(x + intercept)))
        step = float((outcome - p).sum() / (p * (1 - p)).sum())
        intercept += step
        if abs(step) < 1e-10:
            break
    return intercept


def expected_calibration_error(outcome: Labels, probability: Vector, bins: int = 10) -> float:
    """Mean distance of predicted and observed risk over equal groups of patients."""
    groups = np.array_split(np.argsort(probability, kind="stable"), bins)
    gaps = [
        len(g) * abs(float(probability[g].mean()) - float(outcome[g].mean()))
        for g in groups
        if len(g)
    ]
    return sum(gaps) / len(outcome)


def calibration_curve(
    outcome: Labels, probability: Vector, bins: int = 10
) -> list[tuple[float, float, int]]:
    """Mean predicted risk, observed share and size of equal groups, lowest risk first."""
    groups = np.array_split(np.argsort(probability, kind="stable"), bins)
    return [
        (float(probability[g].mean()), float(outcome[g].mean()), len(g)) for g in groups if len(g)
    ]


_MEASURES: Mapping[str, Callable[[Labels, Vector], float]] = {
    "auroc": lambda y, p: float(roc_auc_score(y, p)),
    "auprc": lambda y, p: float(average_precision_score(y, p)),
    "brier": lambda y, p: float(brier_score_loss(y, p)),
    "calibration_intercept": lambda y, p: calibration_line(y, p)[0],
    "calibration_slope": lambda y, p: calibration_line(y, p)[1],
    "ece": expected_calibration_error,
}


def assess(
    outcome: Labels,
    probability: Vector,
    patients: Sequence[str],
    resamples: int,
    seed: int,
) -> dict[str, Measure]:
    """Measure predictions, with intervals by bootstrap over patients.

    Parameters
    ----------
    outcome, probability
        Shape (examples,).
    patients
        Whose example each is: a patient is drawn with all their examples.
    resamples
        Bootstrap resamples; those that draw no outcome, or only outcomes, are dropped.
    seed
        Of the draws.
    """
    names, member = np.unique(np.array(patients), return_inverse=True)
    rows = [np.flatnonzero(member == i) for i in range(len(names))]
    generator = np.random.default_rng(seed)
    draws: dict[str, list[float]] = {name: [] for name in _MEASURES}
    for _ in range(resamples):
        drawn = generator.integers(0, len(rows), len(rows))
        take = np.concatenate([rows[i] for i in drawn])
        if 0 < outcome[take].sum() < len(take):
            for name, measure in _MEASURES.items():
                draws[name].append(measure(outcome[take], probability[take]))
    result: dict[str, Measure] = {}
    for name, measure in _MEASURES.items():
        low, high = np.quantile(draws[name], [0.025, 0.975]) if draws[name] else (np.nan, np.nan)
        result[name] = Measure(measure(outcome, probability), float(low), float(high))
    return result


@dataclass(frozen=True, slots=True)
class Alerts:
    """What a threshold would mean for a practice.

    Parameters
    ----------
    per_1000
        Patients above the threshold, of 1,000.
    sensitivity
        Share of the outcomes among them.
    needed
        Patients above the threshold for each outcome; infinite where there is none.
    """

    threshold: float
    per_1000: float
    sensitivity: float
    needed: float


def alerts(outcome: Labels, probability: Vector, threshold: float) -> Alerts:
    """Count the alerts of one threshold (probability, 0..1)."""
    above = probability >= threshold
    found = int(outcome[above].sum())
    return Alerts(
        threshold=threshold,
        per_1000=1000 * float(above.mean()),
        sensitivity=found / max(1, int(outcome.sum())),
        needed=float(above.sum()) / found if found else float("inf"),
    )
