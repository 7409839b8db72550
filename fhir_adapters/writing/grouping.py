"""Group the findings of a note that state the same thing at several places."""

from __future__ import annotations

from collections import Counter
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
    ordinal
        How many earlier statements of the note have the same concept and first place.
    """

    finding: Finding
    spans: Spans
    ordinal: int = 0

    @property
    def key(self) -> tuple[str | int, ...]:
        """Which statement of its note this is: concept, first place, ordinal there."""
        start, end = self.spans[0]
        return (self.finding.concept, start, end, self.ordinal)


def statements(findings: Iterable[Finding]) -> list[Statement]:
    """Group a note's findings by concept, flags, relative and value, in order of place."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: (f.start, f.end, f.concept)):
        key = (_stated(finding), finding.relation if finding.family else None)
        groups.setdefault(key, []).append(finding)
    made: list[Statement] = []
    seen: Counter[tuple[str, int, int]] = Counter()
    for group in groups.values():
        first = (group[0].concept, group[0].start, group[0].end)
        places = tuple(dict.fromkeys((f.start, f.end) for f in group))
        made.append(Statement(_surest(group), places, seen[first]))
        seen[first] += 1
    return made


def _surest(group: list[Finding]) -> Finding:
    """Return the first finding of a group, with the highest probability of all."""
    said = [f.probability for f in group if f.probability is not None]
    return replace(group[0], probability=max(said)) if said else group[0]
