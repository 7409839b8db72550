"""What supports a named heart failure, and the treatment that nothing else explains.

The lists and limits are data (``diagnosis.toml``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.risk.timeline import Entry, Presence, Timeline

_AFFIRMED = (Presence.PRESENT, Presence.PAST)


@cache
def _rule() -> dict[str, Any]:
    return read_toml("clinical_nlp.risk", "diagnosis.toml")


def supports(timeline: Timeline, support: Mapping[str, Any]) -> bool:
    """Whether the record holds what makes a single naming of heart failure a diagnosis.

    Parameters
    ----------
    timeline
        As known on the index day.
    support
        A table of ``diagnosis.toml``: ``concepts``, and where given ``lvef_below`` (%),
        ``peptide_from`` (pg/mL by concept) and ``drugs_together``.
    """
    affirmed = [
        e
        for e in (*timeline.undated, *timeline.entries, *timeline.context)
        if e.presence in _AFFIRMED and not _ambiguous(e)
    ]
    if any(e.concept in support["concepts"] for e in affirmed):
        return True
    if lowest_lvef(affirmed, support["lvef_below"]) is not None:
        return True
    limits: Mapping[str, float] = support.get("peptide_from", {})
    if any(e.value >= limits[e.concept] for e in affirmed if e.value and e.concept in limits):
        return True
    present = {e.concept for e in affirmed if e.presence is Presence.PRESENT}
    groups: Sequence[Sequence[str]] = support.get("drugs_together", ())
    return bool(groups) and all(not present.isdisjoint(group) for group in groups)


def lowest_lvef(entries: Iterable[Entry], below: float) -> Entry | None:
    """The lowest left ventricular ejection fraction under a limit (%)."""
    low = [e for e in entries if e.concept == "lvef" and e.value is not None and e.value < below]
    return min(low, key=lambda e: e.value or 0.0, default=None)


def treated_for_it(timeline: Timeline) -> tuple[Entry, ...]:
    """Entries of a treatment that only heart failure explains; empty where there is none.

    A programme or unit of heart failure that follows the patient counts as one.
    """
    rule = _rule()["treatment"]
    presences = {Presence(name) for name in rule["presence"]}
    entries = [e for e in (*timeline.undated, *timeline.entries) if e.presence in presences]
    alone = [e for e in reliable(entries, timeline) if e.concept in rule["alone"]]
    alone += [e for e in timeline.context if e.concept == rule["followed"]]
    if alone:
        return tuple(alone)
    classes = [
        taken
        for concepts in rule["classes"].values()
        if (taken := [e for e in entries if e.concept in concepts and _in_use(e, timeline)])
    ]
    drugs = [e for taken in classes for e in taken]
    together, reduced = rule["together"], rule["reduced_lvef"]
    explained = {e.concept for e in (*timeline.undated, *timeline.entries)}.intersection(
        together["unless"]
    )
    if len(classes) >= together["classes"] and not explained:
        return tuple(drugs)
    lvef = _last_lvef(entries)
    if lvef is not None and (lvef.value or 0.0) <= reduced["up_to"]:
        return (lvef, *drugs) if len(classes) >= reduced["classes"] else ()
    return ()


def reliable(entries: Iterable[Entry], timeline: Timeline) -> Iterator[Entry]:
    """Entries that are of this patient and mean what they say.

    Not an abbreviation with another meaning ("EAP", "TRC"), nor an entry of a note that describes
    of a relative's heart failure or speaks of the disease in general.
    """
    elsewhere = _rule()["speaks_of_others"]
    notes = {e.evidence.source for e in timeline.context if e.concept in elsewhere}
    return (e for e in entries if not _ambiguous(e) and e.evidence.source not in notes)


def said_after(later: Iterable[Entry], earlier: Iterable[Entry]) -> bool:
    """Whether one of some statements comes after all of others: a later day, or further down.

    Statements of one day in different notes have no order.
    """
    dated = [e for e in earlier if e.day is not None]
    if not dated:
        return False
    denials = [e for e in later if e.day is not None]
    last = max(e.day for e in dated if e.day is not None)
    if any(e.day > last for e in denials if e.day is not None):
        return True
    places: dict[str, int] = {}
    for entry in dated:
        if entry.day == last:
            source, place = entry.evidence.source, entry.evidence.start or 0
            places[source] = max(place, places.get(source, 0))
    return all(
        any(
            e.day == last and e.evidence.source == source and (e.evidence.start or 0) > place
            for e in denials
        )
        for source, place in places.items()
    )


def _last_lvef(entries: Iterable[Entry]) -> Entry | None:
    measured = [e for e in entries if e.concept == "lvef" and e.value is not None]
    return max(measured, key=lambda e: e.day or date.min, default=None)


def _ambiguous(entry: Entry) -> bool:
    """Whether an entry is an abbreviation with another meaning ("EAP", "TRC")."""
    if entry.concept not in _rule()["ambiguous_abbreviations"] or not entry.abbreviated:
        return False
    start, end = entry.evidence.start, entry.evidence.end
    return start is None or end is None or end - start <= _rule()["ambiguous_up_to"]


def _in_use(entry: Entry, timeline: Timeline) -> bool:
    """Whether a drug is in use: not stopped, and named in a note within the last year."""
    if entry.end is not None:
        return False
    if entry.kind is not None or entry.day is None:
        return True
    return entry.day > timeline.as_of - timedelta(days=_rule()["treatment"]["current_days"])
