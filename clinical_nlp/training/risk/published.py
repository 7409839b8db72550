"""Published scores on the same patients, and the share that each covers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
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
from clinical_nlp.training.risk.arrays import Rows, Vector
from clinical_nlp.training.risk.clinical_utility import alerts
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import has_both_outcomes, with_intervals

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
        Our model's, to be measured on the patients that a score covers.

    Returns
    -------
    list of dict
        ``name``; ``covered``: weighted share of the patients that have the score;
        ``auroc`` of the score and ``model_auroc`` on those; for rules also ``per_1000``,
        ``sensitivity``, ``specificity`` and ``needed`` as in :func:`alerts`.
    """
    prevent = np.full(len(data), np.nan)
    criteria = np.zeros(len(data))
    met = np.zeros(len(data))
    nt_probnp = np.full(len(data), np.nan)
    likely = np.zeros(len(data))
    for row, timeline in enumerate(data.timelines):
        risk = prevent_hf(prevent_inputs(timeline, table)).probability
        prevent[row] = math.nan if risk is None else risk
        framingham_criteria = framingham(timeline, concepts)
        major, minor = len(framingham_criteria.major), len(framingham_criteria.minor)
        criteria[row] = 3 * major + minor  # major criteria first, as in the rule
        met[row] = framingham_criteria.met
        result = nt_probnp_rule(timeline)
        if result.outcome is not NtProBnpClass.NONE:
            nt_probnp[row] = result.score
            likely[row] = result.outcome in _LIKELY
    rows: list[tuple[str, Vector, Vector | None]] = [
        ("PREVENT-HF, 10 years", prevent, None),
        ("Framingham criteria met", criteria, met),
        ("NT-proBNP, likely by age", nt_probnp, likely),
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
    scored = np.flatnonzero(~np.isnan(score))
    covered = data.take(scored)

    def measure(rows: Rows) -> Mapping[str, float]:
        y, w = covered.outcome[rows], covered.weight[rows]
        if not has_both_outcomes(y):
            return {"auroc": math.nan, "model_auroc": math.nan}
        return {
            "auroc": float(roc_auc_score(y, score[scored][rows], sample_weight=w)),
            "model_auroc": float(roc_auc_score(y, probability[scored][rows], sample_weight=w)),
        }

    return {
        "name": name,
        "covered": float(covered.weight.sum() / data.weight.sum()),
        "outcomes": int(covered.outcome.sum()),
        **(with_intervals(measure, covered.patients, resamples, seed) if len(scored) else {}),
        **(alerts(data.outcome, rule, data.weight, 0.5) if rule is not None else {}),
    }
