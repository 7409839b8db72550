"""How good a model is within groups of patients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.arrays import Labels, PatientIds, Vector
from clinical_nlp.training.risk.clinical_utility import alerts
from clinical_nlp.training.risk.measures import has_both_outcomes, with_intervals

#: Fewest outcomes, and non-outcomes, of a group for an AUROC.
MIN_OUTCOMES = 8

_AGES = ((0, "under 65"), (65, "65-74"), (75, "75-84"), (85, "85 and over"))
_CONTACTS = ((0, "seldom (0-3)"), (4, "4-11"), (12, "often (12 and more)"))
_NOTES = ((0, "0-2 days"), (3, "3-9 days"), (10, "10 days and more"))


def group_keys(
    timelines: Sequence[Timeline], languages: Sequence[str], table: FeatureTable
) -> dict[str, list[str]]:
    """Groups of each example.

    Returns
    -------
    dict
        ``sex``; ``age_band``; ``notes``: days with a note in the look-back; ``language``:
        most frequent declared language of the notes; ``care_seeking``: days with any contact
        in the look-back.
    """
    return {
        "sex": [str(timeline.sex) for timeline in timelines],
        "age_band": [_level(_AGES, timeline.age or 0) for timeline in timelines],
        "notes": [_level(_NOTES, _note_days(timeline, table)) for timeline in timelines],
        "care_seeking": [_level(_CONTACTS, _contact_days(t, table)) for t in timelines],
        "language": [language or "not declared" for language in languages],
    }


def subgroups(
    keys: Mapping[str, Sequence[str]],
    outcome: Labels,
    probability: Vector,
    weight: Vector,
    patients: PatientIds,
    threshold: float,
    resamples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Measure each group, with intervals by bootstrap over its patients.

    Returns
    -------
    list of dict
        ``group``, ``level``, ``patients``, ``outcomes``, ``auroc`` (``None`` where the group
        has fewer than :data:`MIN_OUTCOMES`), ``observed_expected`` (observed over predicted
        outcomes: 1 is ideal, more means an underestimated risk), ``alerts_per_1000`` and
        ``sensitivity`` at ``threshold``.
    """
    rows = []
    for group, values in keys.items():
        column = np.array(values, dtype=np.str_)
        for level in sorted(set(values)):
            inside = np.flatnonzero(column == level)
            y, p, w = outcome[inside], probability[inside], weight[inside]
            measures = with_intervals(
                lambda drawn, y=y, p=p, w=w: _measures(y[drawn], p[drawn], w[drawn], threshold),  # type: ignore[misc]
                patients[inside],
                resamples,
                seed,
            )
            enough = MIN_OUTCOMES <= y.sum() <= len(y) - MIN_OUTCOMES
            rows.append(
                {
                    "group": group,
                    "level": level,
                    "patients": len(np.unique(patients[inside])),
                    "outcomes": int(y.sum()),
                    "auroc": measures["auroc"] if enough else None,
                    "observed_expected": measures["observed_expected"] if y.sum() else None,
                    "alerts_per_1000": measures["alerts_per_1000"],
                    "sensitivity": measures["sensitivity"] if y.sum() else None,
                }
            )
    return rows


def age_bands(
    log_odds: Mapping[str, Vector],
    ages: Sequence[int],
    outcome: Labels,
    weight: Vector,
) -> list[dict[str, Any]]:
    """AUROC of several models within each age band, and of age itself there.

    Parameters
    ----------
    log_odds
        By name of the model, out of sample: shape (examples,).
    ages
        Completed years on the index day.

    Returns
    -------
    list of dict
        ``level``, ``outcomes``, ``age`` and ``auroc`` (by model). Bands with fewer than
        :data:`MIN_OUTCOMES` outcomes, or non-outcomes, are left out.
    """
    column = np.array([_level(_AGES, age) for age in ages], dtype=np.str_)
    scores = {"age": np.array(ages, dtype=np.float64), **log_odds}
    rows = []
    for _, level in _AGES:
        inside = np.flatnonzero(column == level)
        y, w = outcome[inside], weight[inside]
        if not MIN_OUTCOMES <= y.sum() <= len(y) - MIN_OUTCOMES:
            continue
        auroc = {
            name: float(roc_auc_score(y, score[inside], sample_weight=w))
            for name, score in scores.items()
        }
        rows.append(
            {"level": level, "outcomes": int(y.sum()), "age": auroc.pop("age"), "auroc": auroc}
        )
    return rows


def _measures(
    outcome: Labels, probability: Vector, weight: Vector, threshold: float
) -> dict[str, float]:
    counts = alerts(outcome, probability, weight, threshold)
    both = has_both_outcomes(outcome)
    auroc = roc_auc_score(outcome, probability, sample_weight=weight) if both else math.nan
    return {
        "auroc": float(auroc),
        "observed_expected": float((weight * outcome).sum() / (weight * probability).sum()),
        "alerts_per_1000": counts["per_1000"],
        "sensitivity": counts["sensitivity"] if both else math.nan,
    }


def _level(bounds: Sequence[tuple[int, str]], value: int) -> str:
    return next(name for lower, name in reversed(bounds) if value >= lower)


def _note_days(timeline: Timeline, table: FeatureTable) -> int:
    return _in_lookback(timeline, timeline.note_days, table)


def _contact_days(timeline: Timeline, table: FeatureTable) -> int:
    return _in_lookback(timeline, timeline.contact_days, table)


def _in_lookback(timeline: Timeline, days: Sequence[date], table: FeatureTable) -> int:
    start = timeline.as_of - timedelta(days=table.lookback_days)
    return sum(day > start for day in days)
