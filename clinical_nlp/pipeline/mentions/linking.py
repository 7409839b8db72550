"""Which concept of the catalogue a mention names, by the findings that stand in its place.

The lexicon comes first: it reads abbreviations, misspellings and context, and what it found
inside a mention is what the mention is about. A mention without a finding names nothing of
the catalogue (NIL), which holds heart failure's concepts and not all of medicine.
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
        for finding in self._findings[bisect_left(self._starts, start) :]:
            if finding.start >= end:
                break
            longer = best is None or finding.end - finding.start > best.end - best.start
            if finding.end <= end and longer:
                best = finding
        return None if best is None else best.concept
