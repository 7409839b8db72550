"""The Framingham criteria for heart failure.

Two major criteria, or one major and two minor ones, at the same time are heart failure (McKee PA
et al., N Engl J Med 1971;285:1441-1446). A positive result is a reason to examine, not a
diagnosis. The lexicon says which concept is which criterion, ``framingham.toml`` the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Concept, Evidence
from clinical_nlp.risk.features import ever
from clinical_nlp.risk.reasons import evidence_of
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline

#: A criterion that an entry meets: day, role ("major" or "minor"), name, entry.
_Met = tuple[date, str, str, Entry]


@dataclass(frozen=True, slots=True)
class FraminghamResult:
    """Criteria that are met at the same time, with their evidence.

    Parameters
    ----------
    major, minor
        Evidence by criterion, newest first.
    explained
        Minor criteria that do not count, by the concept that explains each; ``"one_sided"``
        for swelling of one leg only.
    """

    major: Mapping[str, tuple[Evidence, ...]]
    minor: Mapping[str, tuple[Evidence, ...]]
    explained: Mapping[str, str] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether two major, or one major and two minor criteria are met."""
        return len(self.major) >= 2 or (len(self.major) == 1 and len(self.minor) >= 2)

    @property
    def rank(self) -> int:
        """Order of results: major criteria weigh as much as three minor ones; met comes first."""
        return 3 * len(self.major) + len(self.minor) + 100 * self.met


def framingham(timeline: Timeline, concepts: Mapping[str, Concept]) -> FraminghamResult:
    """Find the criteria that were met at the same time, in the year up to the index day.

    Parameters
    ----------
    concepts
        The lexicon's concepts; :attr:`Concept.framingham` names each one's role.

    Returns
    -------
    FraminghamResult
        Of the window of ``concurrent_days`` with most criteria; of equals, the latest.

    Notes
    -----
    Concepts of one criterion count once. Swelling of one leg is none, nor is a minor criterion
    that a known disease explains. Circulation time, venous pressure, vital capacity and autopsy
    are not in the catalogue.
    """
    start = timeline.as_of - timedelta(days=_data()["lookback_days"])
    explained: dict[str, str] = {}
    met = [*_signs(timeline, concepts, start, explained), *_weight_loss(timeline, start)]
    width = timedelta(days=_data()["concurrent_days"])
    best = FraminghamResult({}, {})
    for last in sorted({day for day, *_ in met}):
        result = _result([one for one in met if last - width < one[0] <= last])
        if result.rank >= best.rank:
            best = result
    others = {name: why for name, why in sorted(explained.items()) if name not in best.minor}
    return FraminghamResult(best.major, best.minor, others)


def _signs(
    timeline: Timeline, concepts: Mapping[str, Concept], start: date, explained: dict[str, str]
) -> Iterator[_Met]:
    """Criteria affirmed after ``start``; those that do not count go to ``explained``."""
    for entry in timeline.entries:
        if entry.presence is not Presence.PRESENT or entry.day is None or entry.day <= start:
            continue
        role, criterion = _criterion(entry, concepts[entry.concept])
        if role not in ("major", "minor"):
            continue
        cause = "one_sided" if entry.one_sided else None
        if role == "minor" and cause is None:
            cause = _other_cause(timeline, criterion)
        if cause is None:
            yield entry.day, role, criterion, entry
        else:
            explained[criterion] = cause


def _criterion(entry: Entry, concept: Concept) -> tuple[str, str]:
    """Role of an entry ("major", "minor" or "none") and its criterion."""
    fast = _data()["tachycardia"]
    if concept.key == fast["concept"]:
        return "none", ""  # said from 100 on
    if concept.key == fast["measurement"]:
        reached = entry.value is not None and entry.value >= fast["from"]
        return ("minor", "tachycardia") if reached else ("none", "")
    return concept.framingham, _criteria().get(concept.key, concept.key)


def _other_cause(timeline: Timeline, criterion: str) -> str | None:
    """A known condition that explains a minor criterion."""
    causes = _data()["explained_by"].get(criterion, ())
    known = ever(timeline.of(frozenset(causes)))
    return known[0].concept if known else None


def _weight_loss(timeline: Timeline, start: date) -> Iterator[_Met]:
    """Weight lost within days under a diuretic."""
    rule = _data()["weight_loss"]
    weights = [
        (e.day, e.value, e)
        for e in timeline.of(frozenset([rule["measurement"]]))
        if e.value is not None and e.day is not None and e.presence is Presence.PRESENT
    ]
    drugs = timeline.of(frozenset(rule["treatment"]))
    for number, (before, heavy, _) in enumerate(weights):
        for after, light, entry in weights[number + 1 :]:  # in order of day
            if after - before > timedelta(days=rule["days"]):
                break
            lost = after > before and heavy - light >= rule["kg"]
            if after > start and lost and _treated(drugs, before, after):
                yield after, "major", rule["criterion"], entry


def _treated(drugs: Sequence[Entry], first: date, last: date) -> bool:
    """Whether a diuretic was begun or named just before, or was prescribed all along."""
    since = first - timedelta(days=_data()["weight_loss"]["treatment_days"])
    for drug in drugs:
        if drug.presence is not Presence.PRESENT or drug.day is None or drug.day > last:
            continue
        lasting = drug.origin is Origin.STRUCTURED and (drug.end is None or drug.end >= first)
        if drug.day >= since or lasting:
            return True
    return False


def _result(met: Sequence[_Met]) -> FraminghamResult:
    criteria: dict[str, dict[str, list[Entry]]] = {"major": {}, "minor": {}}
    for _, role, name, entry in met:
        criteria[role].setdefault(name, []).append(entry)
    evidence = {
        role: {name: evidence_of(entries) for name, entries in sorted(by_name.items())}
        for role, by_name in criteria.items()
    }
    return FraminghamResult(evidence["major"], evidence["minor"])


@cache
def _data() -> dict[str, Any]:
    return read_toml("clinical_nlp.risk.published", "framingham.toml")


@cache
def _criteria() -> Mapping[str, str]:
    return {key: name for name, keys in _data()["criteria"].items() for key in keys}
