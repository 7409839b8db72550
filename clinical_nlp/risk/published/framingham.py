"""The Framingham criteria for heart failure, from what notes and codes say.

Two major criteria, or one major and two minor ones, are heart failure by Framingham (McKee
PA et al., N Engl J Med 1971;285:1441-1446). Minor criteria count only where nothing else
explains them, which a machine cannot tell: so the result is a prompt to examine, never a
diagnosis. Which concept is which criterion is in the lexicon's data.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any

from clinical_nlp.records import Concept, Evidence
from clinical_nlp.risk.reasons import evidence_of
from clinical_nlp.risk.timeline import Entry, Presence, Timeline


@dataclass(frozen=True, slots=True)
class FraminghamResult:
    """Which criteria are met, with the evidence of each.

    Parameters
    ----------
    major, minor
        Evidence by criterion, newest first.
    """

    major: Mapping[str, tuple[Evidence, ...]]
    minor: Mapping[str, tuple[Evidence, ...]]

    @property
    def met(self) -> bool:
        """Whether two major, or one major and two minor criteria are met."""
        return len(self.major) >= 2 or (len(self.major) == 1 and len(self.minor) >= 2)


def framingham(
    timeline: Timeline, concepts: Mapping[str, Concept], window_days: int = 365
) -> FraminghamResult:
    """Count the criteria affirmed in a window up to the index day.

    Parameters
    ----------
    concepts
        The lexicon's concepts; :attr:`Concept.framingham` names each one's role.
    window_days
        How long ago a sign may have been noted and still count, in days.

    Notes
    -----
    Concepts that speak of one criterion (several words for oedema) count once, by the groups
    of ``framingham.toml``; so does a heart rate of 120 or more as tachycardia. Weight loss
    under treatment, circulation time and autopsy criteria are not in the catalogue.
    """
    start = timeline.as_of - timedelta(days=window_days)
    found: dict[str, dict[str, list[Entry]]] = {"major": {}, "minor": {}}
    for entry in timeline.entries:
        if entry.presence is Presence.PRESENT and entry.day is not None and entry.day > start:
            role, criterion = _criterion(entry, concepts[entry.concept])
            if role in found:
                found[role].setdefault(criterion, []).append(entry)
    told = {
        role: {name: evidence_of(entries) for name, entries in sorted(criteria.items())}
        for role, criteria in found.items()
    }
    return FraminghamResult(told["major"], told["minor"])


def _criterion(entry: Entry, concept: Concept) -> tuple[str, str]:
    """The role of what an entry says, and the criterion it counts for."""
    fast = _data()["tachycardia"]
    if concept.key == fast["measurement"]:
        reached = entry.value is not None and entry.value >= fast["from"]
        return ("minor", "tachycardia") if reached else ("none", "")
    return concept.framingham, _criteria().get(concept.key, concept.key)


@cache
def _data() -> dict[str, Any]:
    text = resources.files("clinical_nlp.risk.published").joinpath("framingham.toml")
    return tomllib.loads(text.read_text("utf-8"))


@cache
def _criteria() -> Mapping[str, str]:
    return {key: name for name, keys in _data()["criteria"].items() for key in keys}
