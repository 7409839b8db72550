"""Lead time: how long before the diagnosis an alert would have been raised.

Each diagnosed patient is scored every 30 days up to the diagnosis, as the nightly batch would
have, on what was known each day, by the model that was fitted without that patient. The price
is the alerts of patients who are never diagnosed: the alerts per 1,000 at the same threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import Presence, Timeline
from clinical_nlp.training.risk.arrays import Rows, Vector
from clinical_nlp.training.risk.clinical_utility import alerts, threshold_for
from clinical_nlp.training.risk.cross_fitting import CrossFittedModel, FittedModels
from clinical_nlp.training.risk.dataset import Case, Cohort, Data
from clinical_nlp.training.risk.measures import with_intervals
from clinical_nlp.training.risk.recipe import Recipe

#: Days from one score to the next, and days before the diagnosis of the earliest score.
STEP, LONGEST = 30, 720

#: Days before the diagnosis in which a topic may first appear, and fewest cases to report it.
YEAR, FEWEST = 365, 20

#: Days before the diagnosis at which the share already alerted is reported.
MARKS = (0, 30, 90, 180, 360)


def timelines_before_diagnosis(
    cases: Sequence[Case], first_index: date, min_age: int
) -> list[list[Timeline]]:
    """Timelines of each case, from the diagnosis backwards, every :data:`STEP` days.

    The day itself is left out: what was written on it is the diagnosis.
    """
    timelines = []
    for case in cases:
        before = []
        for days in range(STEP, LONGEST + 1, STEP):
            day = case.diagnosed - timedelta(days=days)
            timeline = case.timeline.until(day)
            if day < first_index or (timeline.age or 0) < min_age or not timeline.contact_days:
                break
            before.append(timeline)
        timelines.append(before)
    return timelines


def lead_days(
    timelines: Sequence[Sequence[Timeline]],
    score: Callable[[Sequence[Timeline]], Vector],
    threshold: float,
) -> Vector:
    """Days from the first alert to the diagnosis, by case; -1 where there was none.

    Parameters
    ----------
    timelines
        Of each case, as :func:`timelines_before_diagnosis` gives them.
    score
        Probability of each timeline.
    """
    probability = score([timeline for case in timelines for timeline in case])
    result, start = np.full(len(timelines), -1.0), 0
    for number, case in enumerate(timelines):
        above = np.flatnonzero(probability[start : start + len(case)] >= threshold)
        start += len(case)
        if len(above):
            result[number] = STEP * (int(above[-1]) + 1)
    return result


def lead_time(leads: Vector, patients: Sequence[str], resamples: int, seed: int) -> dict[str, Any]:
    """Summarise lead times.

    Returns
    -------
    dict
        ``cases``; ``alerted_<days>``: share with an alert at least that long before the
        diagnosis; ``median_days`` among those ever alerted. Each with its interval.
    """

    def measure(rows: Rows) -> Mapping[str, float]:
        drawn = leads[rows]
        alerted = drawn[drawn >= 0]
        shares = {f"alerted_{mark}": float(np.mean(drawn >= max(mark, 1))) for mark in MARKS}
        return {**shares, "median_days": float(np.median(alerted)) if len(alerted) else np.nan}

    return {"cases": len(leads), **with_intervals(measure, list(patients), resamples, seed)}


def alerted_by(leads: Vector) -> list[dict[str, float]]:
    """Share of the cases with an alert at least so many days before, every 30 days."""
    return [
        {"days": float(days), "share": float(np.mean(leads >= days))}
        for days in range(STEP, LONGEST + 1, STEP)
    ]


def first_appearances(cases: Sequence[Case], table: FeatureTable) -> dict[str, list[int]]:
    """Return the days from the first word of each topic to the diagnosis, by topic.

    Only topics that first appear in the year before the diagnosis, of patients with it: what
    has been there for years has no lead time.
    """
    topic_of = {concept: t.key for t in table.topics for concept in t.concepts}
    leads: dict[str, list[int]] = {}
    for case in cases:
        first: dict[str, date] = {}
        for e in case.timeline.entries:
            key = topic_of.get(e.concept)
            if key is not None and e.day is not None and e.presence is Presence.PRESENT:
                first.setdefault(key, e.day)
        for key, day in first.items():
            lead = (case.diagnosed - day).days
            if 0 < lead <= YEAR:
                leads.setdefault(key, []).append(lead)
    return leads


def lead_by_topic(
    cases: Sequence[Case], table: FeatureTable, gap_days: int
) -> list[dict[str, Any]]:
    """Summarise first appearances: how long before the diagnosis a topic comes up.

    Returns
    -------
    list of dict
        ``topic``; ``cases``: with a first appearance in the year before; ``median_days``;
        ``in_gap``: share within the gap; ``with_diagnosis``: whether most are, so that the
        topic belongs to the making of the diagnosis. Those with :data:`FEWEST` cases or more,
        shortest lead first.
    """
    rows = [
        {
            "topic": key,
            "cases": len(days),
            "median_days": float(np.median(days)),
            "in_gap": float(np.mean(np.array(days) <= gap_days)),
        }
        for key, days in first_appearances(cases, table).items()
        if len(days) >= FEWEST
    ]
    rows.sort(key=lambda row: (row["median_days"], row["topic"]))
    return [{**row, "with_diagnosis": float(str(row["in_gap"])) > 0.5} for row in rows]


def lead_times(
    cohort: Cohort, data: Data, models: FittedModels, table: FeatureTable, recipe: Recipe
) -> list[dict[str, Any]]:
    """Measure lead times at the lower bound of each published band.

    The threshold of the baseline is set so that it raises as many alerts as the model.
    """
    tested = set(data.patients.tolist())
    first_index = cohort.days[0] + timedelta(days=recipe.cohort.history_days)
    cases = [case for case in cohort.cases if case.patient_id in tested]
    timelines = timelines_before_diagnosis(cases, first_index, recipe.cohort.min_age)
    patients = [case.patient_id for case, before in zip(cases, timelines, strict=True) if before]
    timelines = [before for before in timelines if before]
    if not timelines:
        return []
    selected, baseline = models.selected, models.baseline
    probability, by_baseline = selected.out_of_fold, baseline.out_of_fold
    rows = []
    for band in list(load_bands())[1:]:
        per_1000 = alerts(data.outcome, probability, data.weight, band.lower)["per_1000"]
        matched = threshold_for(by_baseline, data.weight, per_1000)
        for name, model, threshold in (
            ("model", selected, band.lower),
            (baseline.candidate.name, baseline, matched),
        ):

            def score(of: Sequence[Timeline], model: CrossFittedModel = model) -> Vector:
                return model.held_out(_unlabelled(of, table))

            leads = lead_days(timelines, score, threshold)
            rows.append(
                {
                    "name": name,
                    "threshold": threshold,
                    "per_1000": per_1000,
                    **lead_time(leads, patients, recipe.fit.bootstrap, recipe.fit.seed),
                    "alerted_by": alerted_by(leads),
                }
            )
    return rows


def _unlabelled(timelines: Sequence[Timeline], table: FeatureTable) -> Data:
    number = len(timelines)
    return Data(
        feature_matrix(timelines, table),
        timelines,
        np.zeros(number, dtype=np.int_),
        np.ones(number),
        np.array([t.patient_id for t in timelines], dtype=np.str_),
    )
