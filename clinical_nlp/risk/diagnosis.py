"""Decides by rule whether heart failure is already diagnosed (``diagnosis.toml``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.lexicon.codes import code_systems, system_name
from clinical_nlp.records import CodedEvent
from clinical_nlp.risk.timeline import Entry, Presence, Timeline


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Evidence of a heart-failure diagnosis in the record.

    Parameters
    ----------
    confirmed
        The rule is met: the patient is reported, not scored.
    coded
        Structured events that code it, oldest first.
    noted
        Mentions in notes, oldest first, whether or not the rule accepts them.
    since
        First day of the confirmed diagnosis; ``None`` where it is not confirmed or has no
        date.
    """

    confirmed: bool
    coded: tuple[Entry, ...]
    noted: tuple[Entry, ...]
    since: date | None

    @property
    def unconfirmed_mention(self) -> Entry | None:
        """The latest mention in a note that the rule does not accept as a diagnosis."""
        return self.noted[-1] if self.noted and not self.confirmed else None


def codes_heart_failure(event: CodedEvent) -> bool:
    """Return whether a structured event carries a heart-failure diagnosis code."""
    coded = diagnosis_rule()["coded"]
    if event.kind not in coded["kinds"] or event.negated or event.uncertain:
        return False
    return any(is_heart_failure_code(coding.system, coding.code) for coding in event.codings)


def find_diagnosis(timeline: Timeline) -> Diagnosis:
    """Apply the rule of ``diagnosis.toml`` to a timeline, as known on its index day."""
    notes, concepts = diagnosis_rule()["notes"], diagnosis_concepts()
    presences = {Presence(name) for name in notes["presence"]}
    entries = [e for e in (*timeline.undated, *timeline.entries) if e.concept in concepts]
    mentions = [e for e in entries if e.presence in presences and e.kind is None]
    named = [e for e in mentions if not e.abbreviated or notes["abbreviation_is_naming"]]

    by_notes = _meets_note_rule(named, mentions, timeline, notes)
    if by_notes and notes["later_denial_withdraws"]:
        by_notes = not _denied_later(named, entries)
    coded = timeline.coded_heart_failure
    confirmed = bool(coded) or by_notes
    days = [e.known for e in coded] + ([e.known for e in named] if by_notes else [])
    return Diagnosis(
        confirmed=confirmed,
        coded=coded,
        noted=tuple(named),
        since=min((day for day in days if day is not None), default=None),
    )


@cache
def diagnosis_rule() -> dict[str, Any]:
    """Return the rule as shipped with the package."""
    return read_toml("clinical_nlp.risk", "diagnosis.toml")


@cache
def diagnosis_concepts() -> frozenset[str]:
    """Return the concepts that name heart failure itself."""
    return frozenset(diagnosis_rule()["notes"]["named"])


@cache
def is_heart_failure_code(system: str, code: str) -> bool:
    """Return whether a code of any kind of event stands for heart failure."""
    name = system_name(system)
    bare = code.strip().replace(".", "").upper()
    if name is not None:
        bare = code_systems()[name].canonical(code)
    for row in diagnosis_rule()["coded"]["codes"]:
        if name == row["system"] or system in row.get("uris", ()):
            return bare in row.get("exact", ()) or bare.startswith(tuple(row.get("prefix", ())))
    return False


def _meets_note_rule(
    named: list[Entry], mentions: list[Entry], timeline: Timeline, notes: dict[str, Any]
) -> bool:
    if not named:
        return False
    # All undated notes count as one day: they may be of the same one.
    if len({e.day for e in named}) >= notes["min_named_days"]:
        return True
    support = notes["support"]
    if support["abbreviated_naming_on_another_day"]:
        days = {e.day for e in named}
        if any(e.abbreviated and e.day not in days for e in mentions):
            return True
    present = [e for e in (*timeline.undated, *timeline.entries) if e.presence is Presence.PRESENT]
    if any(
        e.concept == "lvef" and e.value is not None and e.value < support["lvef_below"]
        for e in present
    ):
        return True
    keys = {e.concept for e in present}
    return not keys.isdisjoint(support["concepts"]) or all(
        not keys.isdisjoint(group) for group in support["drugs_together"]
    )


def _denied_later(named: Iterable[Entry], entries: Iterable[Entry]) -> bool:
    """Return whether the diagnosis is denied on a later day than every mention."""
    last_named = max((e.day for e in named if e.day is not None), default=None)
    denials = (e.day for e in entries if e.presence is Presence.ABSENT and e.day is not None)
    last_denied = max(denials, default=None)
    return last_named is not None and last_denied is not None and last_denied > last_named
