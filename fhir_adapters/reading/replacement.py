"""Which documents are replaced, where some replace one another in a circle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


def split_replacements(edges: Iterable[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Separate plainly replaced documents from those in circles.

    Parameters
    ----------
    edges
        Pairs (the newer, the one it replaces), of one patient.

    Returns
    -------
    replaced : list of int
        Documents that a document outside their own circle replaces; sorted.
    circular : list of int
        Documents on a circle, or on a path between two; sorted. None of them is replaced
        by the others, as that would leave nothing.

    Notes
    -----
    Documents that replace nothing, and those that nothing replaces, cannot be on a circle;
    their edges are peeled off until only circles (and paths between them) remain. Linear in
    the number of edges.
    """
    remaining = set(edges)
    newer: defaultdict[int, set[int]] = defaultdict(set)  # by the one replaced
    older: defaultdict[int, set[int]] = defaultdict(set)  # by the one replacing
    for by, old in remaining:
        newer[old].add(by)
        older[by].add(old)
    plain: set[tuple[int, int]] = set()
    waiting = [n for n in {n for edge in remaining for n in edge} if not newer[n] or not older[n]]
    while waiting:
        n = waiting.pop()
        for by, old in [*((by, n) for by in newer[n]), *((n, old) for old in older[n])]:
            plain.add((by, old))
            newer[old].discard(by)
            older[by].discard(old)
            if not older[by]:
                waiting.append(by)
            if not newer[old]:
                waiting.append(old)
    circular = {n for edge in remaining - plain for n in edge}
    return sorted({old for _, old in plain}), sorted(circular - {old for _, old in plain})
