"""The Framingham criteria for heart failure.

Two major criteria, or one major and two minor ones, are heart failure (McKee PA et al., N
Engl J Med 1971;285:1441-1446). Minor criteria count only where nothing else explains them,
which the record does not show: a positive result is a reason to examine, not a diagnosis. The
lexicon says which concept is which criterion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Concept, Evidence
from clinical_nlp.risk.reasons import evidence_of
from clinical_nlp.risk.timeline import Entry, Presence, Timeline


@dataclass(frozen=True, slots=True)
class FraminghamResult:
    """Criteria that are met, with their evidence.

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
        Days before the index day in which a sign counts.

    Notes
    -----
    Concepts of one criterion count once (``framingham.toml``). A heart rate of 120 or more
    is tachycardia. Weight loss under treatment, circulation time and autopsy criteria are not
    in the catalogue.
    """
    start = timeline.as_of - timedelta(days=window_days)
    criteria: dict[str, dict[str, list[Entry]]] = {"major": {}, "minor": {}}
    for entry in timeline.entries:
        if entry.presence is Presence.PRESENT and entry.day is not None and entry.day > start:
            role, criterion = _criterion(entry, concepts[entry.concept])
            if role in criteria:
                criteria[role].setdefault(criterion, []).append(entry)
    evidence = {
        role: {name: evidence_of(entries) for name, entries in sorted(by_name.items())}
        for role, by_name in criteria.items()
    }
    return FraminghamResult(evidence["major"], evidence["minor"])


def _criterion(entry: Entry, concept: Concept) -> tuple[str, str]:
    """Role of an entry ("major", "minor" or "none") and its criterion."""
    fast = _data()["tachycardia"]
    if concept.key == fast["measurement"]:
        reached = entry.value is not None and entry.value >= fast["from"]
        return ("minor", "tachycardia") if reached else ("none", "")
    return concept.framingham, _criteria().get(concept.key, concept.key)


@cache
def _data() -> dict[str, Any]:
    return read_toml("clinical_nlp.risk.published", "framingham.toml")


@cache
def _criteria() -> Mapping[str, str]:
    return {key: name for name, keys in _data()["criteria"].items() for key in keys}
