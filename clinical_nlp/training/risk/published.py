"""Published scores beside the model, each on the patients that it covers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from clinical_nlp.records import Concept
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.published import (
    NtProBnpClass,
    ScoreResult,
    framingham,
    nearest_in_range,
    nt_probnp_rule,
    pcp_hf,
    pcp_hf_inputs,
    prevent_hf,
    prevent_inputs,
)
from clinical_nlp.training.risk.arrays import Rows, Vector
from clinical_nlp.training.risk.clinical_utility import alerts
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import has_both_outcomes, with_intervals

#: Outcomes among the covered patients without which a score is not called the best.
MIN_OUTCOMES = 8

#: The baseline that is refitted on the cohort.
AGE_AND_SEX = "age and sex only"

#: Published scores that are not computed at all, and why.
LEFT_OUT = {
    "Health ABC HF": (
        "not computed: its points could not be checked against the paper (Butler et al. 2008), "
        "and serum albumin is not in the catalogue"
    )
}

_LIKELY = (NtProBnpClass.LIKELY, NtProBnpClass.HIGH)
_MEASURES = ("auroc", "model_auroc", "difference")


@dataclass(frozen=True, slots=True)
class _Scored:
    """One score for every example.

    Parameters
    ----------
    score
        NaN where the score gives no answer.
    rule
        1 where a yes-or-no rule is met.
    refusals
        By example, the reasons that it gives no answer for.
    """

    name: str
    score: Vector
    rule: Vector | None = None
    refusals: tuple[tuple[str, ...], ...] = ()


def published_scores(
    data: Data,
    probabilities: Mapping[str, Vector],
    table: FeatureTable,
    concepts: Mapping[str, Concept],
    resamples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Measure age and sex, PREVENT, PCP-HF, the Framingham criteria and the NT-proBNP rule.

    Parameters
    ----------
    data
        Examples.
    probabilities
        Out of fold, by model: ``"model"`` is ours, :data:`AGE_AND_SEX` the refitted baseline
        where there is one.

    Returns
    -------
    list of dict
        ``name``; ``covered``: weighted share of the patients that have the score; ``outcomes``
        among them; ``auroc`` of the score and ``model_auroc`` on those, and the ``difference``
        of the two with its interval by bootstrap over patients, each ``None`` where none can
        be told; ``refused``: the reasons for which it gives no answer, with the share of
        patients of each; ``best``: whether it comes nearest to the model, or before it; for
        rules also ``per_1000``, ``sensitivity``, ``specificity`` and ``needed`` as in
        :func:`alerts`. A score that nobody has is told with its ``reason``.
    """
    model = probabilities["model"]
    scored = list(_all_scores(data, probabilities, table, concepts))
    rows = [_row(one, data, model, resamples, seed) for one in scored]
    rows += [
        {"name": name, "covered": 0.0, "outcomes": 0, **dict.fromkeys(_MEASURES)}
        | {"refused": [], "reason": reason}
        for name, reason in LEFT_OUT.items()
    ]
    best = _best(rows)
    return [{**row, "best": row is best} for row in rows]


def _all_scores(
    data: Data,
    probabilities: Mapping[str, Vector],
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> Iterable[_Scored]:
    timelines = data.timelines
    if AGE_AND_SEX in probabilities:
        yield _Scored("age and sex, refitted here", probabilities[AGE_AND_SEX])
    prevent = (prevent_hf(nearest_in_range(prevent_inputs(t, table))) for t in timelines)
    yield _from_results("PREVENT-HF, 10 years", prevent)
    yield _from_results(
        "PCP-HF, 10 years", (pcp_hf(pcp_hf_inputs(t, table, concepts)) for t in timelines)
    )
    criteria = [framingham(t, concepts) for t in timelines]
    yield _Scored(
        "Framingham criteria met",
        np.array([one.rank for one in criteria], dtype=np.float64),
        np.array([one.met for one in criteria], dtype=np.float64),
    )
    peptide = [nt_probnp_rule(t) for t in timelines]
    measured = [one.outcome is not NtProBnpClass.NONE for one in peptide]
    yield _Scored(
        "NT-proBNP, likely by age",
        np.where(measured, [one.score for one in peptide], math.nan),
        np.array([one.outcome in _LIKELY for one in peptide], dtype=np.float64),
        tuple(() if has else ("missing: nt probnp",) for has in measured),
    )


def _from_results(name: str, results: Iterable[ScoreResult]) -> _Scored:
    kept = list(results)
    return _Scored(
        name,
        np.array([math.nan if r.probability is None else r.probability for r in kept]),
        refusals=tuple(tuple(str(reason) for reason in r.why_not) for r in kept),
    )


def _row(one: _Scored, data: Data, model: Vector, resamples: int, seed: int) -> dict[str, Any]:
    rows = np.flatnonzero(~np.isnan(one.score))
    covered, score, ours = data.take(rows), one.score[rows], model[rows]

    def measure(drawn: Rows) -> Mapping[str, float]:
        y, w = covered.outcome[drawn], covered.weight[drawn]
        if not has_both_outcomes(y):
            return dict.fromkeys(_MEASURES, math.nan)
        theirs = float(roc_auc_score(y, score[drawn], sample_weight=w))
        own = float(roc_auc_score(y, ours[drawn], sample_weight=w))
        return {"auroc": theirs, "model_auroc": own, "difference": own - theirs}

    both = has_both_outcomes(covered.outcome)
    measures: Mapping[str, Any] = (
        with_intervals(measure, covered.patients, resamples, seed)
        if both
        else dict.fromkeys(_MEASURES)
    )
    refused = _refused(one.refusals, data)
    row = {
        "name": one.name,
        "covered": float(covered.weight.sum() / data.weight.sum()),
        "outcomes": int(covered.outcome.sum()),
        **measures,
        "refused": refused,
        **(alerts(data.outcome, one.rule, data.weight, 0.5) if one.rule is not None else {}),
    }
    if not len(rows):
        row["reason"] = "; ".join(reason["reason"] for reason in refused if reason["share"] == 1)
    elif not both:
        row["reason"] = "no outcome among the patients that it covers"
    return row


def _refused(refusals: Iterable[tuple[str, ...]], data: Data) -> list[dict[str, Any]]:
    """Reasons with the weighted share of patients of each, most frequent first."""
    weight: dict[str, float] = defaultdict(float)
    for reasons, of in zip(refusals, data.weight.tolist(), strict=False):
        for reason in reasons:
            weight[reason] += of
    total = float(data.weight.sum())
    shares = {reason: round(part / total, 12) for reason, part in weight.items()}
    return [
        {"reason": reason, "share": share}
        for reason, share in sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    ]


def _best(rows: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The score over which the model gains least, with enough outcomes to tell."""
    told = [row for row in rows if row["difference"] and row["outcomes"] >= MIN_OUTCOMES]
    return min(told, key=lambda row: row["difference"].value, default=None)
