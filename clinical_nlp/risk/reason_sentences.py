"""The Spanish sentence of each kind of topic, from the templates in ``reasons.toml``.

Every function returns the sentence and the entries that support it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from clinical_nlp.records import Concept, Sex
from clinical_nlp.risk.feature_table import FeatureTable, Topic
from clinical_nlp.risk.features import (
    affirmed_days,
    current,
    denied_days,
    ever,
    in_lookback,
    measured,
)
from clinical_nlp.risk.sentences import templates
from clinical_nlp.risk.timeline import Entry, Origin, Timeline
from clinical_nlp.spanish import day_es, list_es, month_es, months_of, number_es

_Sentence = tuple[str, Sequence[Entry]]


def topic_sentence(
    topic: Topic,
    entries: list[Entry],
    timeline: Timeline,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> _Sentence:
    """Describe a topic in one patient.

    Parameters
    ----------
    entries
        The topic's dated entries, oldest first.

    Returns
    -------
    str, sequence of Entry
        The sentence and the entries that support it.
    """
    match topic.kind:
        case "demographic":
            return _demographic(topic.key, timeline, table), ()
        case "sign":
            return _sign(topic, entries, timeline, table, concepts)
        case "condition":
            return _condition(topic, entries, concepts)
        case "drug":
            return _drug(topic, entries, timeline, table, concepts)
        case _:
            return _measurement(topic, entries, timeline, table)


def _demographic(key: str, timeline: Timeline, table: FeatureTable) -> str:
    words: Mapping[str, str] = templates()["demographic"]
    if key == "age":
        return words["age"].format(age=timeline.age)
    if key == "male":
        sexes = {Sex.MALE: "male", Sex.FEMALE: "female"}
        return words[sexes.get(timeline.sex, "unknown_sex")]
    start = timeline.as_of - timedelta(days=table.lookback_days)
    days = timeline.note_days if key == "notes" else timeline.contact_days
    return words[key].format(n=sum(day > start for day in days), months=_lookback_months(table))


def _sign(
    topic: Topic,
    entries: list[Entry],
    timeline: Timeline,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> _Sentence:
    words = templates()["sign"]
    recent = [e for e in entries if in_lookback(e, timeline, table)]
    noted = [e for e in recent if e.origin is Origin.NOTE]
    days = affirmed_days(noted)
    if days:
        supporting = [e for e in ever(noted) if e.day in days]
        name = _name(topic, supporting, concepts)
        if _is_new(entries, timeline):
            key = "new" if len(days) == 1 else "new_many"
            return _with_days(words[key], days, name), supporting
        return _with_days(words["one" if len(days) == 1 else "many"], days, name), supporting
    coded = [e for e in ever(recent) if e.origin is Origin.STRUCTURED and e.day is not None]
    if coded:
        last = max(e.day for e in coded if e.day is not None)
        name = _name(topic, coded, concepts)
        return words["coded"].format(name=name, last=day_es(last)), coded
    denied = denied_days(noted)
    if denied:
        key = "denied_one" if len(denied) == 1 else "denied_many"
        text = _with_days(words[key], denied, topic.name)
        return text, [e for e in noted if e.day in denied]
    return words["silent"].format(name=topic.name, months=_lookback_months(table)), ()


def _is_new(entries: Sequence[Entry], timeline: Timeline) -> bool:
    """Whether a sign is first noted within ``new_days``, in a patient with older notes."""
    since = timeline.as_of - timedelta(days=templates()["new_days"])
    has_older_notes = any(day <= since for day in timeline.note_days)
    return has_older_notes and all(e.day > since for e in ever(entries) if e.day is not None)


def _with_days(template: str, days: Sequence[date], name: str) -> str:
    return template.format(
        name=name,
        n=len(days),
        first=day_es(days[0]),
        since=month_es(days[0]),
        last=day_es(days[-1]),
    )


def _condition(topic: Topic, entries: list[Entry], concepts: Mapping[str, Concept]) -> _Sentence:
    words = templates()["condition"]
    affirmed = ever(entries)
    if not affirmed:
        return words["silent"].format(name=topic.name), ()
    coded = [e for e in affirmed if e.origin is Origin.STRUCTURED]
    key = "noted" if not coded else "coded" if len(coded) == len(affirmed) else "both"
    since = min(e.day for e in (coded or affirmed) if e.day is not None)
    name = _name(topic, affirmed, concepts)
    return words[key].format(name=name, since=month_es(since)), affirmed


def _drug(
    topic: Topic,
    entries: list[Entry],
    timeline: Timeline,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> _Sentence:
    words = templates()["drug"]
    in_use = current(entries, timeline, table)
    if not in_use:
        return words["silent"].format(name=topic.name), ()
    names = list_es(sorted({concepts[e.concept].name_es for e in in_use}))
    prescribed = [e.day for e in in_use if e.origin is Origin.STRUCTURED and e.day is not None]
    if prescribed:
        return words["prescribed"].format(name=names, since=month_es(min(prescribed))), in_use
    last = max(e.day for e in in_use if e.day is not None)
    return words["noted"].format(name=names, last=day_es(last)), in_use


def _measurement(
    topic: Topic, entries: list[Entry], timeline: Timeline, table: FeatureTable
) -> _Sentence:
    words = templates()["measurement"]
    series = measured(topic, entries, timeline, table)
    if not series:
        return words["silent"].format(name=topic.name, months=_lookback_months(table)), ()
    first, last = series[0], series[-1]
    fields = {
        "name": topic.name,
        "value": (last.comparator or "") + number_es(last.value or 0.0, topic.decimals),
        "unit": topic.shown,
        "last": day_es(last.day) if last.day else "",
    }
    span = (last.day - first.day).days if last.day and first.day else 0
    change = (last.value or 0.0) - (first.value or 0.0)
    if topic.kind == "measurement_with_trend" and span >= table.trend_min_days and change:
        fields["change"] = number_es(change, topic.decimals, sign=True)
        return words["trend"].format(**fields, span=months_of(span)), series
    return words["value"].format(**fields), [last]


def _name(topic: Topic, entries: Sequence[Entry], concepts: Mapping[str, Concept]) -> str:
    """Name of the only concept of some entries, else of the topic."""
    keys = {e.concept for e in entries}
    return concepts[keys.pop()].name_es if len(keys) == 1 else topic.name


def _lookback_months(table: FeatureTable) -> int:
    return months_of(table.lookback_days)
