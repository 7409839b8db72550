"""Finds heart failure suspected in writing and not settled since (``suspicion.toml``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from clinical_nlp.risk.diagnosis import (
    NO_SIGNS,
    NO_SUSPICION,
    Diagnosis,
    diagnosis_concepts,
    find_diagnosis,
    place_of,
    places_of,
)
from clinical_nlp.risk.diagnosis_support import said_after
from clinical_nlp.risk.latest import latest
from clinical_nlp.risk.note_context import PLAIN_WORDS, TO_RULE_OUT, suspicion_rule
from clinical_nlp.risk.published.nt_probnp import NtProBnpClass, likely_limit, peptide_class
from clinical_nlp.risk.timeline import Entry, Presence, Timeline


class Verdict(StrEnum):
    """What a natriuretic peptide says of the suspicion."""

    RAISED = "raised"
    GREY = "grey"  # neither under what rules heart failure out nor over the limit of the age
    NORMAL = "normal"  # under what rules heart failure out
    NORMAL_OBESE = "normal_obese"  # under it, but obesity lowers the peptides


@dataclass(frozen=True, slots=True)
class Peptide:
    """The latest natriuretic peptide in the look-back.

    Parameters
    ----------
    entry
        The measurement in pg/mL, or a note's word for it ("elevado") without a value.
    limit
        Value under which heart failure is unlikely, pg/mL; of a grey one that of the age over
        which it is likely.
    after
        Whether it is of the day of the latest suspicion or later.
    """

    entry: Entry
    verdict: Verdict
    limit: float
    after: bool


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Heart failure suspected in the record, without a test that settled it.

    Parameters
    ----------
    mentions
        Uncertain mentions in notes, oldest first.
    provisional
        Problems coded as provisional or differential, oldest first.
    named
        Affirmed mentions that the rule of the diagnosis does not accept, oldest first.
    abbreviated
        Affirmed abbreviations that may mean something else, oldest first.
    plain
        The heart in doubt in plain words, beside a test asked for, oldest first.
    since, last
        First and last day of these; ``None`` where none has a day.
    asked
        By name of the test, the first request of each that has no answer.
    peptide
        The latest natriuretic peptide; ``None`` without.
    lvef
        The latest ejection fraction (%) in the look-back; ``None`` without.
    echo
        The latest echocardiogram of a later day than the suspicion; ``None`` without.
    """

    mentions: tuple[Entry, ...]
    provisional: tuple[Entry, ...]
    named: tuple[Entry, ...]
    abbreviated: tuple[Entry, ...]
    plain: tuple[Entry, ...]
    since: date | None
    last: date | None
    asked: tuple[tuple[str, Entry], ...] = ()
    peptide: Peptide | None = None
    lvef: Entry | None = None
    echo: Entry | None = None


def find_suspicion(timeline: Timeline, diagnosis: Diagnosis | None = None) -> Suspicion | None:
    """Find a suspicion of heart failure that stands on the index day.

    Parameters
    ----------
    timeline
        As known on the index day.
    diagnosis
        Of the same timeline, where the caller has it.

    Returns
    -------
    Suspicion or None
        ``None`` where heart failure is diagnosed, where nobody suspects it in the look-back,
        and where a test or a later denial has settled it.
    """
    diagnosis = find_diagnosis(timeline) if diagnosis is None else diagnosis
    if diagnosis.confirmed:
        return None
    recent = _Recent(timeline)
    doubted = recent.doubted()
    mentions = [e for e in doubted if e.kind is None]
    provisional = [e for e in doubted if e.kind is not None]
    named = [e for e in diagnosis.noted if recent.holds(e)]
    abbreviated, plain = recent.abbreviated(), recent.plain()
    raised = recent.raised(timeline)
    said = [*mentions, *provisional, *named, *abbreviated, *plain, *raised]
    if not said or _settled(said, recent):
        return None
    days = [e.day for e in said if e.day is not None]
    since, last = min(days, default=None), max(days, default=None)
    return Suspicion(
        mentions=tuple(mentions),
        provisional=tuple(provisional),
        named=tuple(named),
        abbreviated=tuple(abbreviated),
        plain=tuple(plain),
        since=since,
        last=last,
        asked=tuple(recent.unanswered(since)),
        peptide=recent.peptide(last),
        lvef=latest(recent.of("lvef")),
        echo=latest(e for e in recent.of("echocardiogram") if _is_later(e, last)),
    )


class _Recent:
    """The part of a timeline that lies in the look-back; entries without a day are of it."""

    def __init__(self, timeline: Timeline) -> None:
        rule = suspicion_rule()
        self._after = timeline.as_of - timedelta(days=rule["lookback_days"])
        everything = (*timeline.undated, *timeline.entries)
        self.entries = [e for e in everything if self.holds(e)]
        self.context = [e for e in timeline.context if self.holds(e)]
        obese = rule["settled"]["obese"]
        self._obese = any(
            e.presence in (Presence.PRESENT, Presence.PAST)
            and (
                e.concept in obese["concepts"]
                or (e.concept == "bmi" and e.value is not None and e.value >= obese["bmi_from"])
            )
            for e in everything
        )
        self._age = timeline.age
        self.no_signs = places_of(timeline, NO_SIGNS)
        self._nobodys = places_of(timeline, NO_SUSPICION)
        self._asking = {e.evidence.source for e in self.context if e.presence is Presence.UNCERTAIN}

    def holds(self, entry: Entry) -> bool:
        """Whether an entry lies in the look-back, or has no day."""
        return entry.day is None or entry.day > self._after

    def of(self, concept: str) -> list[Entry]:
        """Affirmed entries of a concept."""
        return [e for e in self.entries if e.concept == concept and e.presence is Presence.PRESENT]

    def doubted(self) -> list[Entry]:
        """Uncertain mentions; those that the reader is not sure of, with a test asked for."""
        concepts = diagnosis_concepts().union(suspicion_rule()["mentions"]["in_doubt"])
        return [
            e
            for e in self.entries
            if e.presence is Presence.UNCERTAIN
            and e.concept in concepts
            and (not e.doubted or e.evidence.source in self._asking)
            and place_of(e) not in self._nobodys
        ] + [e for e in self.context if e.concept == TO_RULE_OUT]

    def plain(self) -> list[Entry]:
        """The heart in doubt in plain words, in notes that ask for a test of it."""
        return [
            e
            for e in self.context
            if e.concept == PLAIN_WORDS and e.evidence.source in self._asking
        ]

    def abbreviated(self) -> list[Entry]:
        """Affirmed abbreviations of the syndrome, in notes that do not deny it in full."""
        concepts = diagnosis_concepts()
        denying = {
            e.evidence.source
            for e in self.entries
            if e.concept in concepts and e.presence is Presence.ABSENT and not e.abbreviated
        }
        return [
            e
            for e in self.entries
            if e.abbreviated
            and e.concept in concepts
            and e.presence in (Presence.PRESENT, Presence.PAST)
            and e.evidence.source not in denying
            and place_of(e) not in self._nobodys
        ]

    def raised(self, timeline: Timeline) -> list[Entry]:
        """The newest natriuretic peptide, where it asks for an echocardiogram and none was done.

        By age (HFA 2023: ``clinical_nlp.risk.published.nt_probnp``), of the last year.
        """
        values = [
            e for key in suspicion_rule()["settled"]["rule_out"] for e in self.of(key) if e.value
        ]
        newest = latest(values)
        if newest is None or newest.day is None:
            return []
        if (timeline.as_of - newest.day).days >= suspicion_rule()["peptide_days"]:
            return []
        if peptide_class(newest, timeline.age) not in (NtProBnpClass.LIKELY, NtProBnpClass.HIGH):
            return []
        done = [*self.of("lvef"), *self.of("echocardiogram")]
        return [] if any(_from(e, newest.day) for e in done) else [newest]

    def peptide(self, last: date | None) -> Peptide | None:
        """The latest natriuretic peptide, with a value before one in words."""
        limits: dict[str, float] = suspicion_rule()["settled"]["rule_out"]
        measured = [e for key in limits for e in self.of(key) if e.value is not None]
        in_words = [e for e in self.context if e.concept in limits and _is_in_words(e)]
        entry = latest(measured) or latest(in_words)
        if entry is None:
            return None
        limit = limits[entry.concept]
        verdict = self._verdict(entry, limit)
        if verdict is Verdict.GREY:
            limit = likely_limit(entry.concept, self._age)
        return Peptide(entry, verdict, limit, _from(entry, last))

    def _verdict(self, entry: Entry, limit: float) -> Verdict:
        if entry.value is None:
            if entry.presence is Presence.PRESENT:
                return Verdict.RAISED
            return Verdict.NORMAL_OBESE if self._obese else Verdict.NORMAL
        if not _is_under(entry, limit):
            is_grey = peptide_class(entry, self._age) is NtProBnpClass.BETWEEN
            return Verdict.GREY if is_grey else Verdict.RAISED
        factor = suspicion_rule()["settled"]["obese"]["factor"]
        if self._obese and not _is_under(entry, factor * limit):
            return Verdict.NORMAL_OBESE
        return Verdict.NORMAL

    def unanswered(self, since: date | None) -> Iterable[tuple[str, Entry]]:
        """First request of each test since the suspicion began that no later result answers."""
        for test in suspicion_rule()["tests"]:
            asked = [
                e
                for e in self.context
                if e.concept in test["asked"]
                and e.presence is Presence.UNCERTAIN
                and _from(e, since)
            ]
            first = min(asked, key=lambda e: e.day or date.min, default=None)
            answers = [e for key in test["answered"] for e in self.of(key)]
            answers += [e for e in self.context if e.concept in test["asked"] and _is_in_words(e)]
            if first is not None and not any(_answers(e, first) for e in answers):
                yield test["name"], first


def _settled(said: list[Entry], recent: _Recent) -> bool:
    """Whether a denial or a conclusive test came after the last word of suspicion."""
    dated = [e for e in said if e.day is not None]
    if not dated:
        return False
    last = max(e.day for e in dated if e.day is not None)
    # "Sin signos de IC" further down in the note that suspects it answers it; on another day it
    # says how the patient was on that day.
    denials = [
        e for e in _denials(recent.entries) if e.day == last or place_of(e) not in recent.no_signs
    ]
    if said_after(denials, dated):
        return True
    peptide = recent.peptide(last)
    if peptide is not None and peptide.after and peptide.verdict is Verdict.NORMAL:
        # "Normal" in the very note that suspects may not have convinced its author.
        return peptide.entry.value is not None or _is_later(peptide.entry, last)
    return _normal_echo(last, recent)


def is_denied_since(timeline: Timeline, day: date | None) -> bool:
    """Whether a note of a day or later denies heart failure itself, not only its signs."""
    of_signs = places_of(timeline, NO_SIGNS)
    return any(_from(e, day) and place_of(e) not in of_signs for e in _denials(timeline.entries))


def _denials(entries: Iterable[Entry]) -> list[Entry]:
    says_nothing = suspicion_rule()["settled"]["denial_says_nothing"]
    return [
        e
        for e in entries
        if e.presence is Presence.ABSENT
        and e.concept in diagnosis_concepts()
        and e.concept not in says_nothing
    ]


def _normal_echo(last: date, recent: _Recent) -> bool:
    """Whether an echocardiogram of a later day is normal."""
    rule = suspicion_rule()["settled"]["echocardiogram"]
    lvef = latest(e for e in recent.of("lvef") if _is_later(e, last))
    in_words = any(e.concept == rule["in_words"] and _is_later(e, last) for e in recent.context)
    if lvef is not None and (lvef.value is None or lvef.value < rule["lvef_from"]):
        return False
    if lvef is None and not in_words:
        return False
    peptide = recent.peptide(last)
    if peptide is not None and peptide.after and peptide.verdict in (Verdict.RAISED, Verdict.GREY):
        return False
    structural = {e.concept for e in recent.entries if e.presence is not Presence.ABSENT}
    return structural.isdisjoint(rule["structural"])


def _is_in_words(entry: Entry) -> bool:
    return entry.presence in (Presence.PRESENT, Presence.ABSENT)


def _is_under(entry: Entry, limit: float) -> bool:
    """Whether a value lies under a limit; "<125" does, ">100" does not say."""
    if entry.value is None or entry.comparator in (">", ">="):
        return False
    return entry.value < limit or (entry.comparator == "<" and entry.value <= limit)


def _from(entry: Entry, day: date | None) -> bool:
    """Whether an entry is of a day or later; where one has no day, it may be."""
    return entry.day is None or day is None or entry.day >= day


def _is_later(entry: Entry, day: date | None) -> bool:
    return entry.day is not None and day is not None and entry.day > day


def _answers(result: Entry, request: Entry) -> bool:
    if result.day is None or request.day is None:
        return False
    if result.evidence.source != request.evidence.source:
        return result.day >= request.day
    return (result.evidence.start or 0) > (request.evidence.start or 0)
