"""Link a mention to a concept of the catalogue, by the findings that lie within it.

The lexicon decides: it reads abbreviations, misspellings and context. A mention without a
finding has no concept (NIL); the catalogue covers heart failure, not all of medicine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from clinical_nlp.records import Finding


class Linker:
    """Looks up the findings of one doc by place.

    Parameters
    ----------
    findings
        In any order.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = sorted(findings, key=lambda finding: finding.start)
        self._starts = [finding.start for finding in self._findings]

    def __call__(self, start: int, end: int) -> str | None:
        """Concept of the longest finding within a mention, the first of equally long ones.

        Parameters
        ----------
        start, end
            Place of the mention.

        Returns
        -------
        str or None
            ``None`` where no finding lies wholly within it.
        """
        best: Finding | None = None
        first, stop = bisect_left(self._starts, start), bisect_left(self._starts, end)
        for finding in self._findings[first:stop]:
            longer = best is None or finding.end - finding.start > best.end - best.start
            if finding.end <= end and longer:
                best = finding
        return None if best is None else best.concept
