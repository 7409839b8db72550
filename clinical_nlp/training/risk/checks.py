"""One leakage check, and the ways of measuring one (limits: ``leakage.toml``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from clinical_nlp.training.risk.arrays import Labels, Matrix, Rows, Vector
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.leakage_limits import leakage_limits
from clinical_nlp.training.risk.measures import has_both_outcomes, with_intervals

#: Bootstrap resamples of a check.
RESAMPLES = 200


#: Fewest outcomes, and fewest without, for a check: an AUROC over three is 1.000 now and then, and
#: so are all of its bootstrap samples.
LEAST_OUTCOMES = 10


@dataclass(frozen=True, slots=True)
class LeakageCheck:
    """One check and its result.

    Parameters
    ----------
    figure
        AUROC within age and sex, a share, a ratio or a count: ``what`` says which; NaN where
        there are too few outcomes to measure it, which fails nothing.
    low
        Lower bound of ``figure``.
    limit
        What ``low`` must not exceed.
    remedy
        What to do where it does.
    """

    name: str
    what: str
    figure: float
    low: float
    limit: float
    remedy: str = ""

    @property
    def passed(self) -> bool:
        """Whether no leakage was found."""
        return not self.low > self.limit


def check(
    name: str, what: str, figure: float, low: float | None = None, subject: str = ""
) -> LeakageCheck:
    """Build a check by its name in ``leakage.toml``.

    Parameters
    ----------
    low
        The figure itself where not given.
    subject
        What it was found in, as a feature; added to the name.
    """
    rule = leakage_limits()[name]
    shown = f"{name} ({subject})" if subject else name
    return LeakageCheck(
        shown, what, figure, figure if low is None else low, rule["limit"], rule["remedy"]
    )


def can_be_measured(outcome: Labels) -> bool:
    """Whether there are enough outcomes, and enough without, for an AUROC that says anything."""
    ill = int(outcome.sum())
    return min(ill, len(outcome) - ill) >= LEAST_OUTCOMES


def check_columns(name: str, columns: Matrix, data: Data, seed: int) -> LeakageCheck:
    """Cross-validated AUROC of trees over some columns, within strata of age and sex.

    Within strata, because an id given in order of birth predicts age, which is no leakage.
    """
    what = "AUROC within age and sex"
    if not can_be_measured(data.outcome):
        return check(name, what, math.nan)
    if np.ptp(columns, axis=0).max() == 0:
        return check(name, what, 0.5)
    trees = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=6, min_samples_leaf=40, random_state=seed
    )
    score = cross_val_predict(
        trees,
        columns,
        data.outcome,
        groups=data.patients,
        cv=GroupKFold(5, shuffle=True, random_state=seed),
        method="predict_proba",
        params={"sample_weight": data.weight},
    )[:, 1]
    strata = np.array([f"{t.sex}{(t.age or 0) // 5 * 5}" for t in data.timelines])

    def measure(rows: Rows) -> Mapping[str, float]:
        labels = data.outcome[rows], data.weight[rows]
        return {"auroc": _auroc_within(*labels, score[rows], strata[rows])}

    auroc = with_intervals(measure, data.patients, RESAMPLES, seed)["auroc"]
    return check(name, what, auroc.value, auroc.low)


def check_ratio(name: str, what: str, part: Vector, whole: Vector, data: Data) -> LeakageCheck:
    """Rate among examples with the outcome, over that among those without.

    Parameters
    ----------
    part, whole
        Counts of each example: the rate is the sum of the first by that of the second.
    """
    usual = float(data.weight @ part) / max(float(data.weight @ whole), 1.0)
    if usual == 0:
        return check(name, what, 1.0)

    def rate(rows: Rows) -> float:
        weight = data.weight[rows]
        # One event more at the usual rate: nothing in ten is no rate of 0, nor is one in one 1.
        return float((weight @ part[rows] + 1) / (weight @ whole[rows] + 1 / usual))

    def measure(rows: Rows) -> Mapping[str, float]:
        ill = data.outcome[rows] == 1
        if not has_both_outcomes(data.outcome[rows]):
            return {"ratio": math.nan}
        return {"ratio": rate(rows[ill]) / rate(rows[~ill])}

    ratio = with_intervals(measure, data.patients, RESAMPLES, 1)["ratio"]
    return check(name, what, ratio.value, ratio.low)


def _auroc_within(
    outcome: Labels, weight: Vector, score: Vector, strata: npt.NDArray[np.str_]
) -> float:
    """AUROC over pairs of the same stratum, each stratum weighted by its outcomes."""
    total, sum_weights = 0.0, 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        y = outcome[inside]
        if has_both_outcomes(y):
            share = float((weight * outcome)[inside].sum())
            total += share * float(roc_auc_score(y, score[inside], sample_weight=weight[inside]))
            sum_weights += share
    return total / sum_weights if sum_weights else math.nan
