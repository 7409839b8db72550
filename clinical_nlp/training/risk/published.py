"""Published scores on the same test patients, each with how many it can speak of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from clinical_nlp.records import Concept
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.published import (
    NtProBnpClass,
    framingham,
    nt_probnp_rule,
    prevent_hf,
    prevent_inputs,
)
from clinical_nlp.training.risk.clinical_utility import alerts
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import Vector, with_intervals

_LIKELY = (NtProBnpClass.LIKELY, NtProBnpClass.HIGH)


def published_scores(
    data: Data,
    probability: Vector,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
    resamples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Measure PREVENT, the Framingham criteria and the NT-proBNP rule.

    Parameters
    ----------
    data
        Test examples.
    probability
        Our model's, to be measured on the very patients that a score speaks of.

    Returns
    -------
    list of dict
        ``name``; ``covered``: weighted share of the patients it gives an answer for;
        ``auroc`` of its score and ``model_auroc`` on those; for rules also what acting on
        them would mean: ``per_1000``, ``sensitivity``, ``specificity``, ``needed``.
    """
    prevent = np.full(len(data), np.nan)
    criteria = np.zeros(len(data))
    met = np.zeros(len(data))
    natriuretic = np.full(len(data), np.nan)
    likely = np.zeros(len(data))
    for row, timeline in enumerate(data.timelines):
        risk = prevent_hf(prevent_inputs(timeline, table)).probability
        prevent[row] = math.nan if risk is None else risk
        found = framingham(timeline, concepts)
        # Major criteria first, as the rule has it; minor ones break ties.
        criteria[row] = 3 * len(found.major) + len(found.minor)
        met[row] = found.met
        result = nt_probnp_rule(timeline)
        if result.outcome is not NtProBnpClass.NONE:
            natriuretic[row] = result.score
            likely[row] = result.outcome in _LIKELY
    rows: list[tuple[str, Vector, Vector | None]] = [
        ("PREVENT-HF, 10 years", prevent, None),
        ("Framingham criteria met", criteria, met),
        ("NT-proBNP, likely by age", natriuretic, likely),
    ]
    return [
        _row(name, score, rule, data, probability, resamples, seed) for name, score, rule in rows
    ]


def _row(
    name: str,
    score: Vector,
    rule: Vector | None,
    data: Data,
    probability: Vector,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    inside = np.flatnonzero(~np.isnan(score))
    some = data.take(inside)

    def measure(rows: npt.NDArray[np.int_]) -> Mapping[str, float]:
        y, w = some.outcome[rows], some.weight[rows]
        if not 0 < y.sum() < len(y):
            return {"auroc": math.nan, "model_auroc": math.nan}
        return {
            "auroc": float(roc_auc_score(y, score[inside][rows], sample_weight=w)),
            "model_auroc": float(roc_auc_score(y, probability[inside][rows], sample_weight=w)),
        }

    told = with_intervals(measure, some.patients, resamples, seed) if len(inside) else {}
    covered = float(some.weight.sum() / data.weight.sum())
    outcomes = int(some.outcome.sum())
    acted = alerts(data.outcome, rule, data.weight, 0.5) if rule is not None else {}
    return {"name": name, "covered": covered, "outcomes": outcomes, **told, **acted}
