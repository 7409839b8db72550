"""Where a patient stands on the diagnostic pathway of heart failure, from the record alone.

The two tests of the pathway of the ESC guideline (McDonagh et al., Eur Heart J 2021;42:3599,
figure 1): natriuretic peptide, then echocardiogram. Limits are in ``published/nt_probnp.toml``, how
long a test stands in ``advice.toml``.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from clinical_nlp.risk.latest import latest
from clinical_nlp.risk.published.nt_probnp import (
    NtProBnpClass,
    peptide_class,
    peptide_rule,
    value_bounds,
)
from clinical_nlp.risk.timeline import Entry, Presence, Timeline

_AFFIRMED = (Presence.PRESENT, Presence.PAST)


class Progress(StrEnum):
    """What the record holds of a test."""

    NONE = "none"
    STANDING = "standing"  # its result still holds
    OUTDATED = "outdated"  # a low value, older than a symptom
    IN_WORDS_LOW = "in_words_low"  # in words
    IN_WORDS_HIGH = "in_words_high"
    ORDERED = "ordered"
    DOUBTFUL = "doubtful"  # a value that no body has, or without a date
    CITED = "cited"  # an earlier one is mentioned; nobody says when it was
    OLD = "old"


@dataclass(frozen=True, slots=True)
class Peptide:
    """The natriuretic peptide: state, and the value it rests on, if any.

    Parameters
    ----------
    level
        Class of ``entry``; ``NONE`` unless ``progress`` is standing, outdated, old or in words.
    day
        Of the value, the order or the words.
    sign
        For an outdated value, the symptom that began after it.
    """

    progress: Progress
    level: NtProBnpClass = NtProBnpClass.NONE
    entry: Entry | None = None
    day: date | None = None
    sign: Entry | None = None


@dataclass(frozen=True, slots=True)
class Echo:
    """The echocardiogram: state, day and the newest LVEF of any day."""

    progress: Progress
    day: date | None = None
    lvef: Entry | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How long tests stand, in days (``advice.toml``).

    Parameters
    ----------
    onset
        A symptom not noted for so long before is new.
    echo
        An echocardiogram.
    order
        A test asked for without a result.
    """

    onset: int
    echo: int
    order: int


def read_peptide(timeline: Timeline, signs: frozenset[str], standing: Standing) -> Peptide:
    """Read the state of the natriuretic peptide on the index day.

    Parameters
    ----------
    signs
        Concepts of symptoms and signs after whose onset a low value no longer stands.
    """
    rule = peptide_rule()
    newest = _newest_value(timeline)
    ordered = _in_context(timeline, rule["peptides"], Presence.UNCERTAIN, standing.order)
    if newest is not None and newest.day is not None:
        level = peptide_class(newest, timeline.age)
        age_days = (timeline.as_of - newest.day).days
        if level is not NtProBnpClass.RULED_OUT and age_days < rule["window_days"]:
            return Peptide(Progress.STANDING, level, newest, newest.day)
        if level is NtProBnpClass.RULED_OUT and age_days < rule["standing_low_days"]:
            onset = _onset_after(newest.day, timeline, signs, standing.onset)
            if onset is None:
                return Peptide(Progress.STANDING, level, newest, newest.day)
            if ordered is None or ordered <= newest.day:
                return Peptide(Progress.OUTDATED, level, newest, newest.day, onset)
    return _without_value(timeline, ordered, newest)


def _without_value(timeline: Timeline, ordered: date | None, newest: Entry | None) -> Peptide:
    rule = peptide_rule()
    peptides = rule["peptides"]
    low = _in_context(timeline, peptides, Presence.ABSENT, rule["standing_low_days"])
    high = _in_context(timeline, peptides, Presence.PRESENT, rule["window_days"])
    since = None if newest is None else newest.day
    in_words = max((d for d in (low, high) if d is not None), default=None)
    if ordered is not None and ordered > max(in_words or date.min, since or date.min):
        return Peptide(Progress.ORDERED, day=ordered)
    if in_words is not None and (since is None or in_words > since):
        if in_words == high:
            return Peptide(Progress.IN_WORDS_HIGH, NtProBnpClass.LIKELY, day=in_words)
        return Peptide(Progress.IN_WORDS_LOW, NtProBnpClass.RULED_OUT, day=in_words)
    start = timeline.as_of - timedelta(days=rule["window_days"])
    doubted = [d.entry for d in timeline.doubts if d.entry.day and d.entry.day > start]
    for entry in (*doubted, *timeline.undated):
        if entry.concept in peptides and entry.value is not None:
            return Peptide(Progress.DOUBTFUL, entry=entry, day=entry.day)
    if newest is not None:
        return Peptide(Progress.OLD, peptide_class(newest, timeline.age), newest, newest.day)
    return Peptide(Progress.NONE)


def _in_context(
    timeline: Timeline, concepts: Container[str], presence: Presence, days: int
) -> date | None:
    """Latest day on which notes ask for a test (uncertain) or give its result in words."""
    start = timeline.as_of - timedelta(days=days)
    known = [
        e.day
        for e in timeline.context
        if e.concept in concepts and e.presence is presence and e.day and e.day > start
    ]
    return max(known, default=None)


def _newest_value(timeline: Timeline) -> Entry | None:
    """Newest value of a peptide that says something; of one day NT-proBNP's."""
    affirmed = {e.concept for e in timeline.entries if e.presence is Presence.PRESENT}
    newest = [
        latest(
            e
            for e in timeline.of(frozenset([name]))
            if e.value is not None and e.presence is Presence.PRESENT
        )
        for name, row in peptide_rule()["peptides"].items()
        if affirmed.isdisjoint(row.get("unreadable_under", ()))
    ]
    # Of equals `max` keeps the first, and NT-proBNP is the first of the rule.
    return max((e for e in newest if e), key=lambda e: e.day or date.min, default=None)


def _onset_after(
    day: date, timeline: Timeline, signs: frozenset[str], onset_days: int
) -> Entry | None:
    """First symptom noted after a day and not in the ``onset_days`` up to it."""
    affirmed = [e for e in timeline.of(signs) if e.presence is Presence.PRESENT and e.day]
    before = {
        e.concept
        for e in affirmed
        if e.day is not None and day - timedelta(days=onset_days) < e.day <= day
    }
    # Any of them before: the value answered the same question.
    if before:
        return None
    return next((e for e in affirmed if e.day is not None and e.day > day), None)


def read_echo(timeline: Timeline, standing: Standing) -> Echo:
    """Read the state of the echocardiogram on the index day."""
    lvef = latest(
        e for e in timeline.of(frozenset(["lvef"])) if e.value is not None and _is_affirmed(e)
    )
    mentions = [e for e in timeline.of(frozenset(["echocardiogram"])) if _is_affirmed(e)]
    done = [e for e in mentions if e.presence is Presence.PRESENT]
    # "Última eco (2022): FEVI 55 %": the value is as old as the echocardiogram it is of.
    cited_in = {e.evidence.source for e in mentions} - {e.evidence.source for e in done}
    values = [] if lvef is None or _is_cited(lvef, cited_in) else [lvef]
    last = max((e.day for e in (*values, *done) if e.day), default=None)
    ordered = _in_context(timeline, {"echocardiogram"}, Presence.UNCERTAIN, standing.order)
    if ordered is not None and (last is None or ordered > last):
        return Echo(Progress.ORDERED, ordered, lvef)
    start = timeline.as_of - timedelta(days=standing.echo)
    if last is not None and last > start:
        return Echo(Progress.STANDING, last, lvef)
    cited = latest(e for e in mentions if e.evidence.source in cited_in)
    if cited is not None and cited.day is not None and cited.day > start:
        return Echo(Progress.CITED, cited.day, lvef)
    if last is not None:
        return Echo(Progress.OLD, last, lvef)
    return Echo(Progress.NONE)


def lvef_class(lvef: Entry | None) -> str:
    """Class of an LVEF in %: ``reduced``, ``mildly_reduced``, ``preserved`` or ``unknown``.

    ESC 2021, table 3: up to 40, 41 to 49, 50 and more. A comparator is honoured: ">40%" gives
    nothing but that it is not reduced.
    """
    if lvef is None or lvef.value is None:
        return "unknown"
    floor, ceiling = value_bounds(lvef)
    if (lvef.comparator is None and lvef.value <= 40) or ceiling <= 40:
        return "reduced"
    if floor >= 50 or (lvef.comparator is None and lvef.value >= 50):
        return "preserved"
    return "mildly_reduced" if ceiling <= 50 else "unknown"


def _is_cited(lvef: Entry, cited_in: set[str]) -> bool:
    """Whether a value without a day of its own stands in a note that cites an earlier test."""
    return lvef.evidence.source in cited_in and lvef.day == lvef.known


def _is_affirmed(entry: Entry) -> bool:
    return entry.presence in _AFFIRMED and entry.day is not None
