"""The person against whom an estimate is explained (``reference.toml``).

Of the patient's age, sex, days with notes and days with contacts; the record is silent about
everything else. Where a value was measured, theirs is the normal value nearest to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import FeatureTable, Topic
from clinical_nlp.risk.features import Matrix, measured, transformed
from clinical_nlp.risk.timeline import Entry, Presence, Timeline
from clinical_nlp.spanish import months_of

_UNBOUNDED = {"low": -float("inf"), "high": float("inf")}


@dataclass(frozen=True, slots=True)
class Normal:
    """What is normal of a measurement, for one sex, and what may be a reason.

    Parameters
    ----------
    low, high
        Bounds of what is normal, in the unit of the feature table; infinite where none.
    lowers
        Whether a value on the good side of the bound may be shown as lowering the risk.
    trend
        1 or -1: the direction of change that may be shown; 0 where none may.
    trend_from
        Smallest change that may be shown, in the unit shown.
    valid_months
        An older value is no reason.
    """

    low: float
    high: float
    lowers: bool
    trend: int
    trend_from: float
    valid_months: int

    def nearest(self, value: float) -> float:
        """Return the normal value that a patient's is compared with."""
        if self.lowers:  # the bound itself, from both sides
            return self.high if np.isfinite(self.high) else self.low
        if np.isinf(self.low) and np.isinf(self.high):
            return value
        return min(max(value, self.low), self.high)


@cache
def reference_rules() -> dict[str, Any]:
    """Return ``reference.toml`` as shipped with the package."""
    return read_toml("clinical_nlp.risk", "reference.toml")


@cache
def normal_of(key: str, sex: Sex) -> Normal:
    """Return what is normal of a measured topic, for a sex.

    Where the sex is not known, only what is abnormal in both sexes is shown.

    Raises
    ------
    KeyError
        The topic is no measurement of ``reference.toml``.
    """
    for row in reference_rules()["measurement"]:
        if row["topic"] == key:
            trends = {"rise": 1, "fall": -1}
            return Normal(
                low=_bound(row, "low", sex),
                high=_bound(row, "high", sex),
                lowers=bool(row.get("lowers", False)),
                trend=trends.get(row.get("trend", ""), 0),
                trend_from=float(row.get("trend_from", 0.0)),
                valid_months=int(row["valid_months"]),
            )
    raise KeyError(key)


def reference_rows(timelines: Sequence[Timeline], features: Matrix, table: FeatureTable) -> Matrix:
    """Features of each patient's reference person: shape (patients, features).

    Parameters
    ----------
    features
        The patients' own, shape (patients, features).
    """
    rows = np.zeros_like(features)
    column = {name: number for number, name in enumerate(table.names)}
    for topic in table.topics:
        places = [column[name] for name in topic.features]
        if topic.kind == "demographic" or topic.measured:
            rows[:, places] = features[:, places]
        if topic.measured:
            for number, timeline in enumerate(timelines):
                _make_normal(rows[number], places, topic, timeline, table)
    return rows


def normal_entry(entry: Entry, topic: Topic, sex: Sex) -> float | None:
    """Return the normal value nearest to a measured entry's; ``None`` where it has none."""
    return None if entry.value is None else normal_of(topic.key, sex).nearest(entry.value)


def trend_is_reason(topic: Topic, series: Sequence[Entry], table: FeatureTable, sex: Sex) -> bool:
    """Whether the change from the first to the last value of a series may be shown."""
    if topic.kind != "measurement_with_trend" or not series:
        return False
    first, last, normal = series[0], series[-1], normal_of(topic.key, sex)
    if first.day is None or last.day is None or first.value is None or last.value is None:
        return False
    change = normal.trend * (last.value - first.value)
    apart = (last.day - first.day).days >= table.trend_min_days
    return bool(normal.trend) and apart and change >= normal.trend_from


def is_too_old(topic: Topic, day: date, as_of: date, sex: Sex) -> bool:
    """Whether a sign or value last recorded on a day is no reason any more."""
    if topic.measured:
        return months_of((as_of - day).days) > normal_of(topic.key, sex).valid_months
    if topic.kind == "sign":
        return months_of((as_of - day).days) > int(reference_rules()["sign_valid_months"])
    return False


def is_denied_and_old(topic: Topic, day: date, timeline: Timeline) -> bool:
    """Whether a sign last affirmed or denied on a day was denied then or since, some months ago."""
    if topic.kind != "sign":
        return False
    months = int(reference_rules()["denied_valid_months"])
    if months_of((timeline.as_of - day).days) <= months:
        return False
    return any(
        e.presence is Presence.ABSENT and e.day is not None and e.day >= day
        for e in timeline.of(topic.concepts)
    )


def _make_normal(
    row: Matrix, places: Sequence[int], topic: Topic, timeline: Timeline, table: FeatureTable
) -> None:
    series = measured(topic, timeline.of(topic.concepts), timeline, table)
    if not series:
        return
    value = series[-1].value or 0.0
    nearest = normal_of(topic.key, timeline.sex).nearest(value)
    if nearest != value:
        row[places[0]] = transformed(topic, nearest)
    if trend_is_reason(topic, series, table, timeline.sex):
        row[places[-1]] = 0.0


def _bound(row: Mapping[str, Any], side: str, sex: Sex) -> float:
    bound = row.get(side, _UNBOUNDED[side])
    if isinstance(bound, Mapping):
        widest = max if side == "high" else min
        bound = bound.get(sex.value, widest(bound.values()))
    return float(bound)
