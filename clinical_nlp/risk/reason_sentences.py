"""The Spanish sentence of each kind of topic, from the templates in ``reasons.toml``.

A topic of which the record is silent has no sentence: what is not mentioned is no reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from clinical_nlp.records import Concept, EventKind
from clinical_nlp.risk.feature_table import FeatureTable, Topic
from clinical_nlp.risk.features import (
    affirmed_days,
    current,
    denied_days,
    ever,
    in_lookback,
    measured,
)
from clinical_nlp.risk.reference_person import reference_rules, trend_is_reason
from clinical_nlp.risk.sentences import templates
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline
from clinical_nlp.spanish import day_es, list_es, month_es, months_es, months_of, number_es


class Stance(StrEnum):
    """What the record says of a topic."""

    AFFIRMED = "affirmed"
    DENIED = "denied"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Statement:
    """A topic in one patient, in words.

    Parameters
    ----------
    text
        The sentence.
    entries
        The entries that support it.
    stance
        Whether they affirm, deny or measure.
    last
        Latest day of what is said.
    drugs
        Names of the drugs that are in use.
    """

    text: str
    entries: tuple[Entry, ...]
    stance: Stance
    last: date
    drugs: tuple[str, ...] = ()


def topic_statement(
    topic: Topic, timeline: Timeline, table: FeatureTable, concepts: Mapping[str, Concept]
) -> Statement | None:
    """Describe a topic in one patient.

    Returns
    -------
    Statement or None
        ``None`` where the record says nothing of it, and for demographic topics.
    """
    entries = timeline.of(topic.concepts)
    match topic.kind:
        case "demographic":
            return None
        case "sign":
            return _sign(topic, entries, timeline, table, concepts)
        case "condition":
            return _condition(topic, entries, concepts)
        case "drug":
            return _drug(topic, entries, timeline, table, concepts)
        case _:
            return _measurement(topic, entries, timeline, table)


def dated_es(day: date, as_of: date) -> str:
    """Write a day, with its age where it is old.

    Examples
    --------
    >>> dated_es(date(2024, 3, 12), date(2024, 4, 1)), dated_es(date(2023, 3, 12), date(2024, 4, 1))
    ('12/03/2024', '12/03/2023, hace 13 meses')
    """
    months = months_of((as_of - day).days)
    if months < reference_rules()["tell_age_months"]:
        return day_es(day)
    words: str = templates()["dated"]["old"]
    return words.format(day=day_es(day), age=months_es(months))


def drug_names(in_use: Sequence[Entry], concepts: Mapping[str, Concept]) -> tuple[str, ...]:
    """Return the names of some drugs, once each; of a class only where no drug is named."""
    keys = {e.concept for e in in_use}
    named = {key for key in keys if not key.endswith("_class")} or keys
    return tuple(sorted(concepts[key].name_es for key in named))


def _sign(
    topic: Topic,
    entries: list[Entry],
    timeline: Timeline,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> Statement | None:
    words = templates()["sign"]
    recent = [e for e in entries if in_lookback(e, timeline, table)]
    noted = [e for e in recent if e.origin is Origin.NOTE]
    days, denied = affirmed_days(noted), denied_days(noted)
    if days:
        supporting = [e for e in ever(noted) if e.day in days]
        name = _name(topic, supporting, concepts)
        key = "one" if len(days) == 1 else "many"
        if _is_new(entries, timeline):
            key = "new" if len(days) == 1 else "new_many"
        text = _with_days(words[key], days, name, timeline.as_of)
        if denied and denied[-1] > days[-1]:
            text += words["denied_later"].format(last=dated_es(denied[-1], timeline.as_of))
        return Statement(text, tuple(supporting), Stance.AFFIRMED, days[-1])
    coded = [e for e in ever(recent) if e.origin is Origin.STRUCTURED and e.day is not None]
    if coded:
        last = _latest(coded)
        name = _name(topic, coded, concepts)
        text = words["coded"].format(name=name, last=dated_es(last, timeline.as_of))
        return Statement(text, tuple(coded), Stance.AFFIRMED, last)
    if denied:
        key = "denied_one" if len(denied) == 1 else "denied_many"
        supporting = [e for e in noted if e.day in denied]
        name = _name(topic, supporting, concepts, "ni")
        text = _with_days(words[key], denied, name, timeline.as_of)
        return Statement(text, tuple(supporting), Stance.DENIED, denied[-1])
    return None


def _is_new(entries: Sequence[Entry], timeline: Timeline) -> bool:
    """Whether a sign is first noted within ``new_days``, in a patient with older notes."""
    since = timeline.as_of - timedelta(days=templates()["new_days"])
    has_older_notes = any(day <= since for day in timeline.note_days)
    return has_older_notes and all(e.day > since for e in ever(entries) if e.day is not None)


def _with_days(template: str, days: Sequence[date], name: str, as_of: date) -> str:
    return template.format(
        name=name,
        n=len(days),
        first=day_es(days[0]),
        since=month_es(days[0]),
        last=dated_es(days[-1], as_of),
    )


def _condition(
    topic: Topic, entries: list[Entry], concepts: Mapping[str, Concept]
) -> Statement | None:
    words = templates()["condition"]
    affirmed = [e for e in ever(entries) if e.day is not None]
    if not affirmed:
        return None
    coded = [e for e in affirmed if e.origin is Origin.STRUCTURED]
    listed = [e for e in coded if e.kind is EventKind.CONDITION]
    key = "noted" if not coded else "coded" if len(coded) == len(affirmed) else "both"
    if coded and not listed:
        key = "recorded"
    elif not coded and len({e.day for e in affirmed}) == 1:
        key = "noted_one"
    name = _name(topic, affirmed, concepts)
    if all(e.presence is Presence.PAST or e.end is not None for e in affirmed):
        name = words["past"].format(name=name)
    first = min(e.day for e in (listed or coded or affirmed) if e.day is not None)
    last = _latest(affirmed)
    text = words[key].format(name=name, since=month_es(first), last=day_es(last))
    return Statement(text, tuple(affirmed), Stance.AFFIRMED, last)


def _drug(
    topic: Topic,
    entries: list[Entry],
    timeline: Timeline,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> Statement | None:
    words = templates()["drug"]
    in_use = current(entries, timeline, table)
    if not in_use:
        return None
    names, last = drug_names(in_use, concepts), _latest(in_use)
    prescribed = [e.day for e in in_use if e.origin is Origin.STRUCTURED and e.day is not None]
    if prescribed:
        text = words["prescribed"].format(name=list_es(names), since=month_es(min(prescribed)))
    else:
        text = words["noted"].format(name=list_es(names), last=dated_es(last, timeline.as_of))
    return Statement(text, tuple(in_use), Stance.AFFIRMED, last, names)


def _measurement(
    topic: Topic, entries: list[Entry], timeline: Timeline, table: FeatureTable
) -> Statement | None:
    words = templates()["measurement"]
    series = measured(topic, entries, timeline, table)
    if not series:
        return None
    first, last = series[0], series[-1]
    day = _latest([last])
    fields = {
        "name": topic.name,
        "value": (last.comparator or "") + number_es(last.value or 0.0, topic.decimals),
        "unit": topic.shown,
        "last": dated_es(day, timeline.as_of),
    }
    if trend_is_reason(topic, series, table, timeline.sex) and first.day is not None:
        change = (last.value or 0.0) - (first.value or 0.0)
        fields["change"] = number_es(change, topic.decimals, sign=True)
        fields["span"] = months_es(months_of((day - first.day).days))
        return Statement(words["trend"].format(**fields), tuple(series), Stance.MEASURED, day)
    return Statement(words["value"].format(**fields), (last,), Stance.MEASURED, day)


def _latest(entries: Sequence[Entry]) -> date:
    return max(e.day for e in entries if e.day is not None)


def _name(
    topic: Topic,
    entries: Sequence[Entry],
    concepts: Mapping[str, Concept],
    conjunction: str = "y",
) -> str:
    """Names of the concepts of some entries where they are few and distinct, else the topic's."""
    rules = reference_rules()
    keys = {e.concept for e in entries}
    keys = keys.difference(rules["generic"]) or keys
    names = sorted({concepts[key].name_es for key in keys})
    most = rules["max_names"] if topic.key in rules["by_name"] else 1
    return list_es(names, conjunction) if len(names) <= most else topic.name
