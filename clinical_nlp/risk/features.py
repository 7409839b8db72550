"""Computes the model's features from timelines.

``features.toml`` defines every feature; here is one function for each kind of topic. A
timeline holds nothing known after its index day, so neither does a feature.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import FeatureTable, Topic
from clinical_nlp.risk.latest import newest_last
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline

#: Features of some patients: shape (patients, features).
Matrix = npt.NDArray[np.float64]

_YEAR = 365.25

#: Origin of the age scale in years; the unit is a decade.
AGE_ORIGIN = 70.0


def feature_row(timeline: Timeline, table: FeatureTable) -> list[float]:
    """Compute one patient's features.

    Returns
    -------
    list of float, length ``len(table.names)``
        In the order of ``table.names``; NaN for a missing measurement.
    """
    row: list[float] = []
    by_concept: dict[str, list[Entry]] = {}
    for entry in timeline.entries:
        by_concept.setdefault(entry.concept, []).append(entry)
    for topic in table.topics:
        entries = [e for key in sorted(topic.concepts) for e in by_concept.get(key, ())]
        row.extend(_values(topic, entries, timeline, table))
    return row


def feature_matrix(timelines: Sequence[Timeline], table: FeatureTable) -> Matrix:
    """Compute the features of many patients: shape (patients, features)."""
    rows = [feature_row(timeline, table) for timeline in timelines]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(table.names))


def bounded(features: Matrix, bounds: Sequence[tuple[float, float]]) -> Matrix:
    """Move each value outside its column's bounds to the bound; NaN stays.

    Parameters
    ----------
    features
        Shape (patients, features).
    bounds
        Lowest and highest value of each column; empty for none.
    """
    if not bounds:
        return features
    low, high = np.array(bounds, dtype=np.float64).T
    clipped: Matrix = np.clip(features, low, high)
    return clipped


def in_lookback(entry: Entry, timeline: Timeline, table: FeatureTable) -> bool:
    """Return whether an entry lies in the look-back that ends on the index day."""
    start = timeline.as_of - timedelta(days=table.lookback_days)
    return entry.day is not None and start < entry.day <= timeline.as_of


def affirmed_days(entries: Sequence[Entry]) -> list[date]:
    """Distinct days with an affirmed entry, in order."""
    return sorted({e.day for e in entries if e.presence is Presence.PRESENT and e.day is not None})


def denied_days(entries: Sequence[Entry]) -> list[date]:
    """Distinct days with a denial and no affirmation, in order."""
    affirmed = set(affirmed_days(entries))
    denied = {e.day for e in entries if e.presence is Presence.ABSENT and e.day is not None}
    return sorted(denied - affirmed)


def ever(entries: Sequence[Entry]) -> list[Entry]:
    """Entries that affirm a condition, now or in the past."""
    return [e for e in entries if e.presence in (Presence.PRESENT, Presence.PAST)]


def current(entries: Sequence[Entry], timeline: Timeline, table: FeatureTable) -> list[Entry]:
    """Entries of drugs in use on the index day.

    Prescribed and not ended, or named in a note within ``current_days``; and not stopped by
    a later entry of the same source: a note's "stopped" does not end a prescription.
    """
    since = timeline.as_of - timedelta(days=table.current_days)
    last_stop = {
        (e.concept, e.origin): e.day
        for e in sorted(entries, key=lambda e: e.day or date.min)
        if e.presence in (Presence.PAST, Presence.ABSENT)
    }
    in_use = []
    for e in entries:
        if e.presence is not Presence.PRESENT or e.day is None or e.end is not None:
            continue
        stopped = last_stop.get((e.concept, e.origin))
        # A prescription holds until it is ended; a mention in a note expires.
        if (e.origin is Origin.STRUCTURED or e.day > since) and (
            stopped is None or stopped < e.day
        ):
            in_use.append(e)
    return in_use


def measured(
    topic: Topic, entries: Sequence[Entry], timeline: Timeline, table: FeatureTable
) -> list[Entry]:
    """Plausible values of a measurement in the look-back, oldest first."""
    low, high = topic.plausible
    values = [
        e
        for e in entries
        if e.value is not None
        and e.presence is Presence.PRESENT
        and low <= e.value <= high
        and in_lookback(e, timeline, table)
    ]
    return sorted(values, key=newest_last)


def _values(
    topic: Topic, entries: list[Entry], timeline: Timeline, table: FeatureTable
) -> list[float]:
    if topic.kind == "demographic":
        value = _demographic(topic.key, timeline, table)
        return [value, *(_excess(value, (bend - AGE_ORIGIN) / 10) for bend in topic.bends)]
    if topic.measured:
        return _measurement(topic, entries, timeline, table)
    noted = [e for e in entries if e.origin is Origin.NOTE]
    coded = [e for e in entries if e.origin is Origin.STRUCTURED]
    if topic.kind == "condition":
        return [float(bool(ever(noted))), float(bool(ever(coded)))]
    if topic.kind == "drug":
        return [
            float(bool(current(noted, timeline, table))),
            float(bool(current(coded, timeline, table))),
        ]
    return _sign(
        [e for e in noted if in_lookback(e, timeline, table)],
        [e for e in coded if in_lookback(e, timeline, table)],
        timeline,
        table,
    )


def _demographic(key: str, timeline: Timeline, table: FeatureTable) -> float:
    start = timeline.as_of - timedelta(days=table.lookback_days)
    match key:
        case "age":
            return math.nan if timeline.age is None else (timeline.age - AGE_ORIGIN) / 10
        case "male":
            return {Sex.MALE: 1.0, Sex.FEMALE: 0.0}.get(timeline.sex, 0.5)
        case "notes":
            return math.log1p(sum(day > start for day in timeline.note_days))
        case "contacts":
            return math.log1p(sum(day > start for day in timeline.contact_days))
    raise KeyError(key)


def _excess(value: float, bend: float) -> float:
    """Excess of a value over a bend of its slope; NaN where the value is NaN."""
    return value if math.isnan(value) else max(0.0, value - bend)


def _sign(
    noted: list[Entry], coded: list[Entry], timeline: Timeline, table: FeatureTable
) -> list[float]:
    days = affirmed_days(noted)
    recency = span = 0.0
    if days:
        recency = 0.5 ** ((timeline.as_of - days[-1]).days / table.half_life_days)
        span = (days[-1] - days[0]).days / _YEAR
    return [
        math.log1p(len(days)),
        recency,
        span,
        _frequency_change(days, timeline, table),
        math.log1p(len(denied_days(noted))),
        math.log1p(len(affirmed_days(coded))),
    ]


def _frequency_change(days: Sequence[date], timeline: Timeline, table: FeatureTable) -> float:
    """Change of log frequency from the last half-life but one to the last."""
    ages = [(timeline.as_of - day).days for day in days]
    late = sum(age < table.half_life_days for age in ages)
    early = sum(table.half_life_days <= age < 2 * table.half_life_days for age in ages)
    return math.log1p(late) - math.log1p(early)


def _measurement(
    topic: Topic, entries: list[Entry], timeline: Timeline, table: FeatureTable
) -> list[float]:
    series = measured(topic, entries, timeline, table)
    values = [transformed(topic, series[-1].value), 0.0] if series else [math.nan, 1.0]
    if topic.kind == "measurement_with_trend":
        values.append(_trend(topic, series, table) if series else 0.0)
    return values


def transformed(topic: Topic, value: float | None) -> float:
    """Return a measured value on its feature's scale; NaN for ``None``."""
    if value is None:
        return math.nan
    return math.log(value) if topic.log else value


def _trend(topic: Topic, series: Sequence[Entry], table: FeatureTable) -> float:
    """Least-squares slope per year; 0 where the values span less than ``trend_min_days``."""
    days = np.array([e.day.toordinal() for e in series if e.day is not None], dtype=np.float64)
    if days[-1] - days[0] < table.trend_min_days:
        return 0.0
    years = (days - days.mean()) / _YEAR
    values = np.array([transformed(topic, e.value) for e in series])
    return float(years @ (values - values.mean()) / (years @ years))
