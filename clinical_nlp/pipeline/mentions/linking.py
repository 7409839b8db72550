"""Which concept of the catalogue a mention names, by the findings that stand in its place.

The lexicon comes first: it reads abbreviations, misspellings and context, and what it found
inside a mention is what the mention is about. A mention without a finding names nothing of
the catalogue (NIL), which holds heart failure's concepts and not all of medicine; unless
``mention_links`` is asked to look for what is most like it, and makes a finding of it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate

from spacy.tokens import Doc

from clinical_nlp.pipeline.document import (
    Sections,
    get_findings,
    get_mentions,
    set_findings,
    set_mentions,
)
from clinical_nlp.pipeline.mentions.similarity import Nearest
from clinical_nlp.records import Finding

#: How findings made of mentions name their source; the likeness stands after the colon.
SIMILARITY = "similarity"


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


class Taken:
    """Stretches of a text, asked whether another touches one.

    Parameters
    ----------
    places
        Start and end (exclusive) of each, in any order; they may overlap.
    """

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(places)
        self._starts = [start for start, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))

    def touches(self, start: int, end: int) -> bool:
        """Whether any of the stretches shares a character with this one."""
        before = bisect_left(self._starts, end)
        return before > 0 and self._ends[before - 1] > start


def put_links(doc: Doc, links: Sequence[tuple[int, Nearest]]) -> None:
    """Make findings of mentions, the likeliest first, none overlapping another.

    Parameters
    ----------
    doc
        Its mentions are in the place of no finding.
    links
        Number of a mention in the doc, and what it is to be linked to.
    """
    if not links:
        return
    mentions = list(get_mentions(doc))
    starts, sections = [token.idx for token in doc], Sections(doc)
    made: dict[tuple[int, int], Finding] = {}
    places: list[tuple[int, int]] = []  # of what was made, in order, apart
    for number, nearest in sorted(links, key=lambda link: (-link[1].score, link[0])):
        mention, known = mentions[number], nearest.known
        place = (mention.start, mention.end)
        before = bisect_left(places, (mention.end,))
        # Two labels may share a place: one finding is enough.
        if before == 0 or places[before - 1][1] <= mention.start:
            places.insert(before, place)
            made[place] = Finding(
                *place,
                text=mention.text,
                concept=known.concept,
                negated=known.negated,
                historical=known.historical,
                section=sections.at(bisect_right(starts, mention.start) - 1),
                source=f"{SIMILARITY}:{nearest.score:.3f}",
            )
        if place in made and made[place].concept == known.concept:
            mentions[number] = replace(mention, concept=known.concept)
    set_mentions(doc, mentions)
    set_findings(doc, [*get_findings(doc), *made.values()])
