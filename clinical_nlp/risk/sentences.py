"""Templates of the sentences that a clinician reads (``reasons.toml``).

Also the sentences on an estimate's interval, and on what would lower its uncertainty.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.diagnosis import Diagnosis
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import measured
from clinical_nlp.risk.plausibility import plausibility
from clinical_nlp.risk.reference_person import is_too_old, normal_of
from clinical_nlp.risk.timeline import Doubt, Presence, Timeline
from clinical_nlp.spanish import (
    day_es,
    interval_bounds_es,
    list_es,
    measurement_es,
    month_es,
    months_of,
    number_es,
    unit_es,
)


@cache
def templates() -> dict[str, Any]:
    """Return ``reasons.toml`` as shipped with the package."""
    return read_toml("clinical_nlp.risk", "reasons.toml")


def between_es(low: float, high: float) -> str:
    """Write the bounds of an interval (probabilities) as percentages, rounded outwards.

    Examples
    --------
    >>> between_es(0.0391, 0.0714), between_es(0.0002, 0.1204)
    ('entre 3,9 % y 7,2 %', 'entre menos de 0,1 % y 13 %')
    """
    words: str = templates()["interval"]["between"]
    lower, upper = interval_bounds_es(low, high)
    return words.format(low=lower, high=upper)


def uncertainty_es(interval: tuple[float, float] | None, level: float) -> str:
    """Return the sentence on an estimate's interval, or that there is none and why.

    Parameters
    ----------
    interval
        Bounds (0..1); ``None`` for a model without bootstrap members.
    level
        Of the interval (0..1).
    """
    words: dict[str, str] = templates()["interval"]
    if interval is None:
        return words["none"]
    return words["sentence"].format(level=number_es(100 * level, 0), between=between_es(*interval))


def decides_nothing(interval: tuple[float, float]) -> bool:
    """Whether an interval (probabilities) is wide, with the work list's threshold within.

    Where all of a wide interval is above the threshold the patient is to be seen anyway.

    Examples
    --------
    >>> decides_nothing((0.02, 0.08)), decides_nothing((0.001, 0.4)), decides_nothing((0.2, 0.95))
    (False, True, False)
    """
    odds_low, odds_high = (p / (1 - p) if p < 1 else math.inf for p in interval)
    wide = odds_high > float(templates()["interval"]["max_odds_ratio"]) * odds_low
    return wide and interval[0] < load_bands().worklist_threshold <= interval[1]


def missing_sentences(
    timeline: Timeline, diagnosis: Diagnosis, table: FeatureTable
) -> tuple[str, ...]:
    """Name what is doubtful, old or was not measured in the look-back, or needs confirmation."""
    words = templates()["missing"]
    start = timeline.as_of - timedelta(days=table.lookback_days)
    months = months_of(table.lookback_days)
    doubts = {d.entry.concept: d for d in timeline.doubts if d.entry.day and d.entry.day > start}
    sentences = [_doubt_sentence(doubt) for doubt in doubts.values()]
    sentences.extend(unconfirmed_sentences(diagnosis))
    if not any(day > start for day in timeline.note_days):
        sentences.append(words["no_notes"].format(months=months))
    recorded = {
        e.concept
        for e in timeline.entries
        if e.day is not None and e.day > start and e.presence is not Presence.UNCERTAIN
    }
    recorded.update(doubts)  # said already
    for group in words["group"]:
        absent = [item["name"] for item in group["items"] if recorded.isdisjoint(item["concepts"])]
        if absent:
            sentences.append(words["sentence"].format(items=list_es(absent, "ni"), months=months))
    sentences.extend(_old_sentences(timeline, table, doubts.keys()))
    return tuple(sentences)


def _old_sentences(timeline: Timeline, table: FeatureTable, said: Collection[str]) -> Iterable[str]:
    """Say since when there is no value of what was measured too long ago to be a reason.

    Names of the same month share a sentence. Of what no family doctor repeats without cause,
    only what was abnormal.
    """
    items = [item for group in templates()["missing"]["group"] for item in group["items"]]
    asked = {concept: item["name"] for item in items for concept in item["concepts"]}
    old: dict[str, list[str]] = {}
    for topic in table.topics:
        if not topic.measured or not topic.concepts.isdisjoint(said):
            continue
        series = measured(topic, timeline.of(topic.concepts), timeline, table)
        day = series[-1].day if series else None
        if day is None or not is_too_old(topic, day, timeline.as_of, timeline.sex):
            continue
        name = asked.get(series[-1].concept)
        normal = normal_of(topic.key, timeline.sex)
        if name or not normal.low <= (series[-1].value or 0.0) <= normal.high:
            old.setdefault(month_es(day), []).append(name or topic.name)
    words: str = templates()["missing"]["old"]
    return [
        words.format(items=list_es(list(dict.fromkeys(names)), "ni"), since=since)
        for since, names in old.items()
    ]


def unconfirmed_sentences(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Point at a mention of heart failure that the rule does not accept as a diagnosis."""
    mention = diagnosis.unconfirmed_mention
    if mention is None:
        return ()
    words = templates()["missing"]
    if mention.day is None:
        return (words["unconfirmed_undated"],)
    return (words["unconfirmed"].format(last=day_es(mention.day)),)


def _doubt_sentence(doubt: Doubt) -> str:
    """Say which value was not used, and why."""
    words, entry, cause = plausibility()["sentence"], doubt.entry, doubt.cause
    value, day = entry.value or 0.0, entry.day or date.min
    fields = {
        "name": plausibility()["names"][entry.concept],
        "value": measurement_es(round(value, 1), entry.comparator, entry.unit),
        "day": day_es(day),
    }
    if cause.against is None:
        return str(words[cause.kind].format(**fields))
    change, days = round(value - cause.against.value, 1), (day - cause.against.day).days
    decimals = 0 if float(change).is_integer() else 1
    # Put forward in time: the change up to the later of the two.
    change = -change if days < 0 else change
    fields["change"] = f"{number_es(change, decimals, sign=True)} {unit_es(entry.unit)}"
    months = months_of(abs(days))
    key = "change" if months > 1 else "change_days"
    return str(words[key].format(**fields, days=abs(days), months=months))
