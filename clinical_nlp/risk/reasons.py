"""Turns contributions into clinical sentences, each with the evidence behind it.

The features of one topic are one reason: a clinician thinks "oedema", not "days, recency
and persistence of oedema". The sentences are data (``reasons.toml``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from clinical_nlp.records import Concept, Evidence, Reason, Sex
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

_Said = tuple[str, Sequence[Entry]]


def reasons_for(
    timeline: Timeline,
    contributions: Mapping[str, float],
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> tuple[Reason, ...]:
    """Explain one estimate.

    Parameters
    ----------
    timeline
        What the estimate was made from.
    contributions
        Log-odds by feature, against the reference patient.
    table
        The model's feature table.
    concepts
        The lexicon's concepts, for their Spanish names.

    Returns
    -------
    tuple of Reason
        What raises the risk first, strongest first; then what lowers it.
    """
    words = templates()
    told: list[Reason] = []
    for topic in table.topics:
        # Rounded so that another batch size cannot change the last bits of the output.
        total = round(sum(contributions[name] for name in topic.features), 4)
        if abs(total) < words["min_contribution"]:
            continue
        entries = list(timeline.of(topic.concepts))
        text, behind = _sentence(topic, entries, timeline, table, concepts)
        told.append(Reason(text, total, evidence_of(behind)))
    told.sort(key=lambda reason: (-abs(reason.contribution), reason.text))
    drivers = [reason for reason in told if reason.contribution > 0]
    protective = [reason for reason in told if reason.contribution < 0]
    return (*drivers[: words["max_drivers"]], *protective[: words["max_protective"]])


def evidence_of(entries: Sequence[Entry]) -> tuple[Evidence, ...]:
    """The spans and resources behind some entries, newest first, without repeats."""
    newest = sorted(
        entries,
        key=lambda e: (
            -(e.day.toordinal() if e.day else 0),
            e.evidence.source,
            e.evidence.start or 0,
        ),
    )
    unique = dict.fromkeys(entry.evidence for entry in newest)
    return tuple(unique)[: templates()["max_evidence"]]


def _sentence(
    topic: Topic,
    entries: list[Entry],
    timeline: Timeline,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> _Said:
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
    words = templates()["demographic"]
    months = months_of(table.lookback_days)
    start = timeline.as_of - timedelta(days=table.lookback_days)
    if key == "age":
        return str(words["age"].format(age=timeline.age))
    if key == "male":
        return str(
            {Sex.MALE: words["male"], Sex.FEMALE: words["female"]}.get(
                timeline.sex, words["unknown_sex"]
            )
        )
    days = timeline.note_days if key == "notes" else timeline.contact_days
    return str(words[key].format(n=sum(day > start for day in days), months=months))


def _sign(
    topic: Topic,
    entries: list[Entry],
    timeline: Timeline,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> _Said:
    words = templates()["sign"]
    recent = [e for e in entries if in_lookback(e, timeline, table)]
    noted = [e for e in recent if e.origin is Origin.NOTE]
    days = affirmed_days(noted)
    if days:
        behind = [e for e in ever(noted) if e.day in days]
        name = _name(topic, behind, concepts)
        if _is_new(entries, timeline):
            return _new(words, days, name), behind
        return _counted(words, "", days, name), behind
    coded = [e for e in ever(recent) if e.origin is Origin.STRUCTURED and e.day is not None]
    if coded:
        last = max(e.day for e in coded if e.day is not None)
        name = _name(topic, coded, concepts)
        return words["coded"].format(name=name, last=day_es(last)), coded
    denied = denied_days(noted)
    if denied:
        behind = [e for e in noted if e.day in denied]
        return _counted(words, "denied_", denied, topic.name), behind
    months = months_of(table.lookback_days)
    return words["silent"].format(name=topic.name, months=months), ()


def _is_new(entries: Sequence[Entry], timeline: Timeline) -> bool:
    """Told of first within ``new_days``, by a patient whose notes go further back."""
    since = timeline.as_of - timedelta(days=templates()["new_days"])
    told = (e.day for e in ever(entries) if e.day is not None)
    known_before = any(day <= since for day in timeline.note_days)
    return known_before and all(day > since for day in told)


def _new(words: Mapping[str, str], days: Sequence[date], name: str) -> str:
    key = "new" if len(days) == 1 else "new_many"
    told = {"first": day_es(days[0]), "last": day_es(days[-1])}
    return words[key].format(name=name, n=len(days), **told)


def _counted(words: Mapping[str, str], kind: str, days: Sequence[date], name: str) -> str:
    template = words[f"{kind}{'one' if len(days) == 1 else 'many'}"]
    return template.format(name=name, n=len(days), since=month_es(days[0]), last=day_es(days[-1]))


def _condition(topic: Topic, entries: list[Entry], concepts: Mapping[str, Concept]) -> _Said:
    words = templates()["condition"]
    told = ever(entries)
    if not told:
        return words["silent"].format(name=topic.name), ()
    coded = [e for e in told if e.origin is Origin.STRUCTURED]
    key = "noted" if not coded else "coded" if len(coded) == len(told) else "both"
    since = min(e.day for e in (coded or told) if e.day is not None)
    return words[key].format(name=_name(topic, told, concepts), since=month_es(since)), told


def _drug(
    topic: Topic,
    entries: list[Entry],
    timeline: Timeline,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> _Said:
    words = templates()["drug"]
    # Source by source, as the features are: a note's "stopped" does not end a prescription.
    in_use = [
        entry
        for origin in Origin
        for entry in current([e for e in entries if e.origin is origin], timeline, table)
    ]
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
) -> _Said:
    words = templates()["measurement"]
    series = measured(topic, entries, timeline, table)
    if not series:
        months = months_of(table.lookback_days)
        return words["silent"].format(name=topic.name, months=months), ()
    first, last = series[0], series[-1]
    told = {
        "name": topic.name,
        "value": (last.comparator or "") + number_es(last.value or 0.0, topic.decimals),
        "unit": topic.shown,
        "last": day_es(last.day) if last.day else "",
    }
    span = (last.day - first.day).days if last.day and first.day else 0
    change = (last.value or 0.0) - (first.value or 0.0)
    if topic.kind == "measurement_with_trend" and span >= table.trend_min_days and change:
        text = words["trend"].format(
            **told,
            change=number_es(change, topic.decimals, sign=True),
            span=months_of(span),
        )
        return text, series
    return words["value"].format(**told), [last]


def _name(topic: Topic, entries: Sequence[Entry], concepts: Mapping[str, Concept]) -> str:
    """The one concept's name where only one is behind it, else the topic's."""
    keys = Counter(e.concept for e in entries)
    if len(keys) == 1:
        return concepts[next(iter(keys))].name_es
    return topic.name
