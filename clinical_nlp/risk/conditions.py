"""The conditions that rules of advice ask for, each a small predicate over what a record holds.

``advice.toml`` names each condition, its kind and its limits; here is one function a kind. A
condition that holds gives the fields that a sentence may use, one that does not gives ``None``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from clinical_nlp.records import Concept
from clinical_nlp.risk.care import Care
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import current, ever
from clinical_nlp.risk.latest import latest
from clinical_nlp.risk.pathway import Echo, Peptide, Progress, lvef_class
from clinical_nlp.risk.published.nt_probnp import NT_PROBNP, likely_limit, peptide_rule
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline
from clinical_nlp.spanish import day_es, list_es, measurement_es

#: What a sentence may use: words by name.
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Situation:
    """A patient on the index day, as the conditions see them.

    Parameters
    ----------
    suspected
        A note suspects heart failure in writing.
    asks
        The risk, or the suspicion, is high enough for a test that nothing else asks for.
    conditions
        Rows of ``advice.toml`` by name.
    """

    timeline: Timeline
    care: Care
    peptide: Peptide
    echo: Echo
    suspected: bool
    asks: bool
    table: FeatureTable
    concepts: Mapping[str, Concept]
    conditions: Mapping[str, Mapping[str, Any]]

    def fields(self, name: str) -> Fields | None:
        """Return the fields of a condition that holds; ``not`` before its name denies it."""
        if name.startswith("not "):
            return {} if self.fields(name.removeprefix("not ")) is None else None
        row = self.conditions[name]
        return KINDS[row["kind"]](self, row)

    def all_of(self, names: Iterable[str]) -> Fields | None:
        """Return the fields of conditions that all hold; of two with a field, the first's."""
        together: dict[str, str] = {}
        for name in names:
            fields = self.fields(name)
            if fields is None:
                return None
            together = {**fields, **together}
        return together


def concepts_of(row: Mapping[str, Any], table: FeatureTable) -> frozenset[str]:
    """Return the concepts of a row: its own and those of the feature table's topics it names."""
    topics = {topic.key: topic.concepts for topic in table.topics}
    named = [topics[key] for key in row.get("topics", ())]
    return frozenset(row.get("concepts", ())).union(*named)


def _flag(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    return {} if getattr(situation, row["of"]) else None


def _any(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    return next((f for name in row["of"] if (f := situation.fields(name)) is not None), None)


def _all(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    return situation.all_of(row["of"])


def _care(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    day = situation.care.day(row["topic"])
    return None if day is None else {"care_day": day_es(day)}


#: Days before the newest sign within which the more telling one is named.
_SAME_EPISODE = 30


def _sign(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    """Affirmed in the last ``days``, and not denied since.

    Denied is the sign itself, or by ``denied_by = "topic"`` any sign of its topic, as the
    reasons show it.
    """
    timeline, table = situation.timeline, situation.table
    groups = [frozenset([key]) for key in row.get("concepts", ())]
    groups += [concepts_of({"topics": [key]}, table) for key in row.get("topics", ())]
    by_topic = row.get("denied_by") == "topic"
    start = timeline.as_of - timedelta(days=row["days"])
    newest = [e for g in groups if (e := _newest_held(timeline.of(g), start, by_topic)) is not None]
    if not newest:
        return None
    last = max(e.day or date.min for e in newest)
    chosen = next(e for e in newest if e.day and e.day > last - timedelta(days=_SAME_EPISODE))
    name = situation.concepts[chosen.concept].name_es
    return {"sign": name, "Sign": _capital(name), "sign_day": _day(chosen)}


def _newest_held(entries: list[Entry], start: date, by_topic: bool) -> Entry | None:
    denials = [e for e in entries if e.presence is Presence.ABSENT]
    return latest(
        e
        for e in entries
        if e.presence is Presence.PRESENT
        and e.day is not None
        and e.day > start
        and not any(
            d.day is not None and d.day > e.day and (by_topic or d.concept == e.concept)
            for d in denials
        )
    )


def _known(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    """Affirmed at any time, by a code or a note."""
    entries = ever(situation.timeline.of(concepts_of(row, situation.table)))
    if not entries:
        return None
    names = _names(entries, situation)
    return {"known": names, "Known": _capital(names)}


def _drug(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    entries = situation.timeline.of(concepts_of(row, situation.table))
    in_use = current(entries, situation.timeline, situation.table)
    if "note_days" in row:  # a course of some days that a note mentions does not go on for a year
        start = situation.timeline.as_of - timedelta(days=row["note_days"])
        in_use = [e for e in in_use if e.origin is Origin.STRUCTURED or (e.day and e.day > start)]
    if not in_use:
        return None
    generic = row.get("generic", {})
    keys = {e.concept for e in in_use}
    named = [e for e in in_use if keys.isdisjoint(generic.get(e.concept, ()))]
    names = _names(named, situation)
    return {"drugs": names, "Drugs": _capital(names)}


def _done(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    """A test that is recorded, whatever its result, in the last ``days``."""
    start = situation.timeline.as_of - timedelta(days=row["days"])
    entries = situation.timeline.of(concepts_of(row, situation.table))
    return {} if any(e.day and e.day > start for e in ever(entries)) else None


def _notes(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    """A note of the last ``days``."""
    start = situation.timeline.as_of - timedelta(days=row["days"])
    return {} if any(day > start for day in situation.timeline.note_days) else None


def _value(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    """Newest value of the last ``days``, ``at_least`` or ``below`` a limit in its unit."""
    last = _last_value(situation.timeline, row["concept"], row["days"])
    if last is None or last.value is None:
        return None
    if not row.get("at_least", -math.inf) <= last.value < row.get("below", math.inf):
        return None
    return {"value": _measured(last), "value_day": _day(last)}


def _pressure(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    """Newest blood pressure: either of the two at or over its limit."""
    timeline = situation.timeline
    high = _last_value(timeline, "systolic_bp", row["days"])
    if high is None or high.value is None:
        return None
    low = _last_value(timeline, "diastolic_bp", row["days"])
    if low is not None and low.day != high.day:
        low = None
    diastolic = None if low is None else low.value
    if high.value < row["systolic"] and (diastolic is None or diastolic < row["diastolic"]):
        return None
    both = f"{high.value:.0f}" if diastolic is None else f"{high.value:.0f}/{diastolic:.0f}"
    return {"pressure": f"{both} mmHg", "pressure_day": _day(high)}


def _weight_gain(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    """Newest weight over the least one of the last ``days`` by ``kg`` or more."""
    start = situation.timeline.as_of - timedelta(days=row["days"])
    weights = [
        e
        for e in situation.timeline.of(frozenset(["body_weight"]))
        if e.value is not None and e.presence is Presence.PRESENT and e.day and e.day > start
    ]
    last = latest(weights)
    if last is None:
        return None
    gain = (last.value or 0.0) - min(e.value or 0.0 for e in weights)
    return {"gain": measurement_es(round(gain, 1), None, "kg")} if gain >= row["kg"] else None


def _peptide(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    peptide = situation.peptide
    if peptide.progress not in row["progress"]:
        return None
    if "levels" in row and peptide.level not in row["levels"]:
        return None
    entry, sign = peptide.entry, peptide.sign
    concept = NT_PROBNP if entry is None else entry.concept
    # What is to be measured is NT-proBNP, whatever an old value was of.
    to_read = NT_PROBNP if peptide.progress is Progress.OLD else concept
    rules = peptide_rule()["peptides"]
    fields = {
        "peptide": str(rules[concept]["name"]),
        "rule_out": f"{rules[to_read]['rule_out_below']:.0f} pg/mL",
        "limit": f"{likely_limit(to_read, situation.timeline.age):.0f} pg/mL",
        "peptide_day": "sin fecha" if peptide.day is None else day_es(peptide.day),
    }
    if entry is not None:
        fields["value"] = _measured(entry)
    if sign is not None:
        fields |= {"sign": situation.concepts[sign.concept].name_es, "sign_day": _day(sign)}
    return fields


def _echo(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    echo = situation.echo
    if echo.progress not in row["progress"]:
        return None
    return {} if echo.day is None else {"echo_day": day_es(echo.day)}


def _lvef(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    lvef = situation.echo.lvef
    if lvef_class(lvef) not in row["classes"]:
        return None
    return {} if lvef is None else {"lvef": _measured(lvef), "lvef_day": _day(lvef)}


def _phrases(situation: Situation, row: Mapping[str, Any]) -> Fields | None:
    """What is said of each condition that holds, joined."""
    said = [
        item["say"].format(**fields)
        for item in row["items"]
        if (fields := situation.all_of(item["when"])) is not None
    ]
    return {"phrases": list_es(said)} if said else None


#: The predicate of each kind.
KINDS: Mapping[str, Callable[[Situation, Mapping[str, Any]], Fields | None]] = {
    "flag": _flag,
    "any": _any,
    "all": _all,
    "care": _care,
    "sign": _sign,
    "known": _known,
    "drug": _drug,
    "done": _done,
    "notes": _notes,
    "value": _value,
    "pressure": _pressure,
    "weight_gain": _weight_gain,
    "peptide": _peptide,
    "echo": _echo,
    "lvef": _lvef,
    "phrases": _phrases,
}


def _last_value(timeline: Timeline, concept: str, days: int) -> Entry | None:
    start = timeline.as_of - timedelta(days=days)
    return latest(
        e
        for e in timeline.of(frozenset([concept]))
        if e.value is not None and e.presence is Presence.PRESENT and e.day and e.day > start
    )


def _names(entries: Iterable[Entry], situation: Situation) -> str:
    return list_es(sorted({situation.concepts[e.concept].name_es for e in entries}))


def _measured(entry: Entry) -> str:
    """Write a value as it was measured, a range as one."""
    if entry.low is not None and entry.high is not None and entry.low < entry.high:
        high = measurement_es(entry.high, None, entry.unit)
        return f"{measurement_es(entry.low)}-{high}"
    return measurement_es(round(entry.value or 0.0, 1), entry.comparator, entry.unit)


def _day(entry: Entry) -> str:
    return "sin fecha" if entry.day is None else day_es(entry.day)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
