"""Group the findings of a note that state the same thing at several places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import attrgetter

from clinical_nlp.records import Finding

#: (start, end) of each mention, in code points, end exclusive.
Spans = tuple[tuple[int, int], ...]
_stated = attrgetter(
    "concept", "flags", "value", "unit", "low", "high", "comparator", "measured_on"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a note states, and every place where it does.

    Parameters
    ----------
    finding
        The first finding that states it, with the probability of the surest: one that is right
        is enough. The others differ only in their place.
    spans
        Every (start, end), in code points, in order of place.
    """

    finding: Finding
    spans: Spans


def statements(findings: Iterable[Finding]) -> list[Statement]:
    """Group a note's findings by concept, flags, relative and value, in order of place."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: (f.start, f.end, f.concept)):
        key = (_stated(finding), finding.relation if finding.family else None)
        groups.setdefault(key, []).append(finding)
    return [
        Statement(_surest(group), tuple(dict.fromkeys((f.start, f.end) for f in group)))
        for group in groups.values()
    ]


def _surest(group: list[Finding]) -> Finding:
    """Return the first finding of a group, with the highest probability of all."""
    said = [f.probability for f in group if f.probability is not None]
    return replace(group[0], probability=max(said)) if said else group[0]
