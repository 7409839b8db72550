"""Published scores beside the model, each on the patients that it covers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from clinical_nlp.records import Concept
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.published import (
    FraminghamResult,
    NtProBnpClass,
    NtProBnpResult,
    ScoreResult,
    aric_hf,
    aric_inputs,
    framingham,
    nearest_in_range,
    nt_probnp_rule,
    pcp_hf,
    pcp_hf_inputs,
    prevent_hf,
    prevent_inputs,
)
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.arrays import Rows, Vector
from clinical_nlp.training.risk.clinical_utility import alerts
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import has_both_outcomes, with_intervals

#: Fewest outcomes among the covered patients for a score to be called the best: with few, chance
#: picks the winner.
MIN_OUTCOMES = 20

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
class _Answer:
    """What one score says of one patient.

    Parameters
    ----------
    score
        ``None`` where it gives no answer.
    met
        Whether a yes-or-no rule is met; ``None`` for scores.
    why_not
        Reasons for no answer.
    """

    score: float | None
    met: bool | None = None
    why_not: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Scored:
    """One score of every example: NaN for no answer; ``rule`` is 1 where a rule is met."""

    name: str
    score: Vector
    rule: Vector | None = None
    why_not: tuple[tuple[str, ...], ...] = ()


def published_scores(
    data: Data,
    probabilities: Mapping[str, Vector],
    table: FeatureTable,
    concepts: Mapping[str, Concept],
    resamples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Measure age and sex, PREVENT, PCP-HF, ARIC, Framingham and NT-proBNP beside the model.

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
        :func:`alerts`. A score that is available for nobody is listed with its ``reason``.
    """
    model = probabilities["model"]
    scored = []
    if AGE_AND_SEX in probabilities:
        scored.append(_Scored("age and sex, refitted here", probabilities[AGE_AND_SEX]))
    scored += [_scored(*one, data.timelines) for one in _scorers(table, concepts).items()]
    rows = [_row(one, data, model, resamples, seed) for one in scored]
    rows += [
        {"name": name, "covered": 0.0, "outcomes": 0, **dict.fromkeys(_MEASURES)}
        | {"refused": [], "reason": reason}
        for name, reason in LEFT_OUT.items()
    ]
    best = _best(rows)
    return [{**row, "best": row is best} for row in rows]


def _scorers(
    table: FeatureTable, concepts: Mapping[str, Concept]
) -> dict[str, Callable[[Timeline], _Answer]]:
    """Every published score, by the name that the results give it."""
    return {
        "PREVENT-HF, 10 years": lambda t: _of_result(
            prevent_hf(nearest_in_range(prevent_inputs(t, table)))
        ),
        "PCP-HF, 10 years": lambda t: _of_result(pcp_hf(pcp_hf_inputs(t, table, concepts))),
        "ARIC HF": lambda t: _of_aric(t, table, with_nt_probnp=False),
        "ARIC HF with NT-proBNP": lambda t: _of_aric(t, table, with_nt_probnp=True),
        "Framingham criteria met": lambda t: _of_criteria(framingham(t, concepts)),
        "NT-proBNP, likely by age": lambda t: _of_peptide(nt_probnp_rule(t)),
    }


def _of_result(result: ScoreResult) -> _Answer:
    return _Answer(result.probability, why_not=tuple(map(str, result.why_not)))


def _of_aric(timeline: Timeline, table: FeatureTable, *, with_nt_probnp: bool) -> _Answer:
    result = aric_hf(aric_inputs(timeline, table), with_nt_probnp=with_nt_probnp)
    return _Answer(result.log_hazard, why_not=tuple(map(str, result.why_not)))


def _of_criteria(result: FraminghamResult) -> _Answer:
    return _Answer(float(result.rank), met=result.met)


def _of_peptide(result: NtProBnpResult) -> _Answer:
    if result.outcome is NtProBnpClass.NONE:
        return _Answer(None, met=False, why_not=("missing: nt probnp",))
    return _Answer(result.score, met=result.outcome in _LIKELY)


def _scored(
    name: str, scorer: Callable[[Timeline], _Answer], timelines: Sequence[Timeline]
) -> _Scored:
    answers = [_answer(scorer, timeline) for timeline in timelines]
    score = [math.nan if one.score is None else one.score for one in answers]
    is_rule = any(one.met is not None for one in answers)
    rule = np.array([float(one.met or False) for one in answers]) if is_rule else None
    return _Scored(name, np.array(score), rule, tuple(one.why_not for one in answers))


def _answer(scorer: Callable[[Timeline], _Answer], timeline: Timeline) -> _Answer:
    try:
        return scorer(timeline)
    except Exception as error:  # noqa: BLE001 - a baseline must not cost the run its model
        return _Answer(None, why_not=(f"failed: {type(error).__name__}",))


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
    refused = _refused(one.why_not, data)
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


def _refused(why_not: Iterable[tuple[str, ...]], data: Data) -> list[dict[str, Any]]:
    """Reasons with the weighted share of patients of each, most frequent first."""
    weight: dict[str, float] = defaultdict(float)
    for reasons, of in zip(why_not, data.weight.tolist(), strict=False):
        for reason in reasons:
            weight[reason] += of
    total = float(data.weight.sum())
    shares = {reason: round(part / total, 12) for reason, part in weight.items()}
    return [
        {"reason": reason, "share": share}
        for reason, share in sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    ]


def _best(rows: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The score over which the model gains least, with enough outcomes to compare."""
    comparable = [row for row in rows if row["difference"] and row["outcomes"] >= MIN_OUTCOMES]
    return min(comparable, key=lambda row: row["difference"].value, default=None)
