"""Decides by rule whether heart failure is already diagnosed (``diagnosis.toml``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.lexicon.codes import code_systems, system_name
from clinical_nlp.records import CodedEvent
from clinical_nlp.risk.diagnosis_support import said_after, supports, treated_for_it
from clinical_nlp.risk.timeline import Entry, Presence, Timeline

#: Concept of a denial of signs of heart failure today, not of the disease (``note_context.py``).
NO_SIGNS = "no_signs_of_heart_failure"

#: Concept of a mention that is nobody's suspicion: a patient's question, a leaflet, a warning.
NO_SUSPICION = "no_suspicion_of_heart_failure"


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
    treated
        The treatment that nothing but heart failure explains; empty where there is none.
    """

    confirmed: bool
    coded: tuple[Entry, ...]
    noted: tuple[Entry, ...]
    since: date | None
    treated: tuple[Entry, ...] = ()

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
    nobodys = places_of(timeline, NO_SUSPICION)
    entries = [
        e
        for e in (*timeline.undated, *timeline.entries)
        if e.concept in concepts and place_of(e) not in nobodys
    ]
    mentions = [e for e in entries if e.presence in presences and e.kind is None]
    full = [e for e in mentions if not e.abbreviated or notes["abbreviation_is_naming"]]
    if full:
        named = full
        by_notes = _named_enough(full, mentions, notes) or supports(timeline, notes["support"])
    else:
        by_notes = bool(mentions) and supports(timeline, notes["abbreviation_support"])
        named = mentions if by_notes else []
    if by_notes and notes["later_denial_withdraws"]:
        by_notes = not said_after(_denials(entries, timeline, notes), named)
    treated = treated_for_it(timeline)
    coded = timeline.coded_heart_failure
    days = [e.known for e in (*coded, *treated, *(named if by_notes else ()))]
    return Diagnosis(
        confirmed=bool(coded) or by_notes or bool(treated),
        coded=coded,
        noted=tuple(named),
        since=min((day for day in days if day is not None), default=None),
        treated=treated,
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


def _named_enough(named: list[Entry], mentions: list[Entry], notes: dict[str, Any]) -> bool:
    """Whether the namings of the syndrome are enough by themselves."""
    # All undated notes count as one day: they may be of the same one.
    days = {e.day for e in named}
    if len(days) >= notes["min_named_days"]:
        return True
    if any(e.concept in notes["established"] and e.presence is Presence.PRESENT for e in named):
        return True
    if notes["support"]["abbreviated_naming_on_another_day"] and any(
        e.abbreviated and e.day not in days for e in mentions
    ):
        return True
    by_note: dict[str, set[str]] = {}
    for entry in mentions:
        by_note.setdefault(entry.evidence.source, set()).add(entry.concept)
    again = any(len(by_note[e.evidence.source]) > 1 for e in named)
    return bool(notes["support"]["other_naming_in_the_note"]) and again


def place_of(entry: Entry) -> tuple[str, int | None]:
    """Note and place of an entry, by which its context is found."""
    return entry.evidence.source, entry.evidence.start


def places_of(timeline: Timeline, concept: str) -> frozenset[tuple[str, int | None]]:
    """Places of the mentions that a timeline's context says something of."""
    return frozenset(place_of(e) for e in timeline.context if e.concept == concept)


def _denials(entries: list[Entry], timeline: Timeline, notes: dict[str, Any]) -> list[Entry]:
    """Denials of the disease itself, in full."""
    of_signs = places_of(timeline, NO_SIGNS)
    return [
        e
        for e in entries
        if e.presence is Presence.ABSENT
        and e.concept not in notes["denial_says_nothing"]
        and not e.abbreviated
        and place_of(e) not in of_signs
    ]
