"""Clinical utility of acting on a threshold: alerts, referrals, net benefit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.training.risk.arrays import Labels, PatientIds, Rows, Vector
from clinical_nlp.training.risk.measures import Measure, with_intervals

#: Thresholds of the decision curve, probability: from a tenth of the incidence to a risk at
#: which most would already be examined.
CURVE = (
    0.0025,
    0.005,
    0.0075,
    0.01,
    0.0125,
    0.015,
    0.02,
    0.025,
    0.03,
    0.04,
    0.05,
    0.075,
    0.1,
    0.15,
)


def alerts(
    outcome: Labels, probability: Vector, weight: Vector, threshold: float
) -> dict[str, float]:
    """Count the alerts of one threshold.

    Returns
    -------
    dict
        ``per_1000``: patients above the threshold, of 1,000. ``sensitivity``: share of the
        outcomes among them. ``specificity``. ``needed``: patients referred for each outcome
        found; infinite where none is found.
    """
    above = probability >= threshold
    alerted, total = float(weight[above].sum()), float(weight.sum())
    cases = weight * outcome
    true, outcomes = float(cases[above].sum()), float(cases.sum())
    return {
        "per_1000": 1000 * alerted / total,
        "sensitivity": true / max(1e-12, outcomes),
        "specificity": 1 - (alerted - true) / max(1e-12, total - outcomes),
        "needed": alerted / true if true else math.inf,
    }


def alerts_with_intervals(
    outcome: Labels,
    probability: Vector,
    weight: Vector,
    patients: PatientIds,
    threshold: float,
    resamples: int,
    seed: int,
) -> dict[str, Measure]:
    """:func:`alerts`, each with its interval by bootstrap over patients."""

    def measure(rows: Rows) -> Mapping[str, float]:
        return alerts(outcome[rows], probability[rows], weight[rows], threshold)

    return with_intervals(measure, patients, resamples, seed)


def net_benefit(
    outcome: Labels, treated: npt.NDArray[np.bool_], weight: Vector, at: float
) -> float:
    """Net benefit of acting on some patients, in true positives per 1,000 patients.

    Vickers & Elkin, Med Decis Making 2006;26:565: the threshold says how many needless
    referrals one outcome found is worth.
    """
    total = float(weight.sum())
    true = float((weight * outcome)[treated].sum()) / total
    false = float((weight * (1 - outcome))[treated].sum()) / total
    return 1000 * (true - false * at / (1 - at))


def decision_curve(
    outcome: Labels,
    probabilities: Mapping[str, Vector],
    weight: Vector,
    thresholds: Sequence[float] = CURVE,
) -> list[dict[str, Any]]:
    """Net benefit of each model, and of referring everyone, at each threshold.

    Referring nobody has a net benefit of 0.
    """
    everyone = np.ones(len(outcome), dtype=np.bool_)
    return [
        {
            "threshold": at,
            "everyone": net_benefit(outcome, everyone, weight, at),
            **{
                name: net_benefit(outcome, p >= at, weight, at) for name, p in probabilities.items()
            },
        }
        for at in thresholds
    ]


def threshold_for(probability: Vector, weight: Vector, per_1000: float) -> float:
    """Return the threshold that a given number of patients per 1,000 lie above."""
    order = np.argsort(-probability, kind="stable")
    above = np.cumsum(weight[order]) / weight.sum() * 1000
    place = min(int(np.searchsorted(above, per_1000)), len(order) - 1)
    return float(probability[order][place])
