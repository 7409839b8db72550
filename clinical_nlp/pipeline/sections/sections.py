"""The component ``es_sections``: headings of a note, each with its body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc, Span

from clinical_nlp.pipeline.document import HEADINGS, SECTIONS
from clinical_nlp.pipeline.rules import RuleComponent
from clinical_nlp.pipeline.sections.ambiguity import Ambiguity, Heading
from clinical_nlp.pipeline.sections.headings import HeadingFinder
from clinical_nlp.pipeline.sections.page import Page

_EXTENTS = ("section", "line", "sentence")
_ABOUT_WORDS = 8  # first words of a sentence about a relative, one of which names them


@dataclass(frozen=True, slots=True)
class _Extent:
    """How far a section extends past the line of its heading."""

    kind: str
    while_about: frozenset[str]
    ended_by: frozenset[str]


class Sectionizer(RuleComponent):
    r"""Sets ``doc.spans["sections"]`` and ``doc.spans["headings"]``.

    Sections do not overlap and are in order of place; each covers its heading and its
    body and is labelled with its key (``reason``, ``personal_history``,
    ``family_history``, ``allergies``, ``medication``, ``anamnesis``, ``examination``,
    ``tests``, ``assessment``, ``plan``, ``evolution``, ``social``, ``nursing``). A heading
    span holds the heading's words and its colon. Labels of a form (``TA:``, ``Edemas:``,
    ``ECG:``) open no section. Headings and their ambiguities are in ``sections.toml``.

    Needs sentences (``es_sentences``).

    Examples
    --------
    >>> from clinical_nlp.pipeline.assembly import build
    >>> doc = build()("AP: HTA. AF: padre IAM.\nEF: AC: ritmica. AP: crepitantes.")
    >>> [(s.label_, s.text.strip()) for s in doc.spans["sections"]]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('personal_history', 'AP: HTA.'), ('family_history', 'AF: padre IAM.'),
     ('examination', 'EF: AC: ritmica. AP: crepitantes.')]
    """

    def compile_rules(self, rules: dict[str, Any]) -> None:
        """Build the heading finder and the extents."""
        self._extents: dict[str, _Extent] = {}
        for key, section in rules["sections"].items():
            if section["extent"] not in _EXTENTS:
                raise ValueError(f"section {key}: extent must be one of {_EXTENTS}")
            self._extents[key] = _Extent(
                section["extent"],
                frozenset(section.get("while_about", ())),
                frozenset(section.get("ended_by", ())),
            )
        self._finder = HeadingFinder(
            rules["sections"],
            [Ambiguity.from_rule(rule) for rule in rules["ambiguous"]],
            rules["reentry"],
        )

    def __call__(self, doc: Doc) -> Doc:
        """Find the sections of ``doc``."""
        page = Page(doc)
        headings = self._finder.find(page)
        bounds = list(self._bounds(page, headings))
        doc.spans[HEADINGS] = [Span(doc, h.start, h.end, label=h.section) for h in headings]
        doc.spans[SECTIONS] = [Span(doc, s, e, label=key) for s, e, key in bounds]
        return doc

    def _bounds(self, page: Page, headings: list[Heading]) -> Iterator[tuple[int, int, str]]:
        for position, heading in enumerate(headings):
            limit = headings[position + 1].start if position + 1 < len(headings) else page.size
            extent = self._extents.get(heading.section)
            if extent is None or extent.kind == "section":
                end = limit
            else:
                end = _short_end(page, heading, limit, extent)
            yield heading.start, end, heading.section


def _short_end(page: Page, heading: Heading, limit: int, extent: _Extent) -> int:
    """Return the end of a section that extends to the end of its line or sentence only."""
    if page.breaks_line(heading.end):  # the body is under the heading
        end = page.blank_line(heading.end + 1, limit)
        return _story_resumes(page, heading.end, end, extent)
    for start in page.starts_between(heading.end + 1, limit):
        if page.opens_line(start):
            return start
        if extent.kind == "sentence":
            words = page.words_from(start, _ABOUT_WORDS)
            if extent.while_about.isdisjoint(words):
                return start
    return limit


def _story_resumes(page: Page, start: int, end: int, extent: _Extent) -> int:
    """Return the first line under a heading that opens as the patient's own story does."""
    if not extent.ended_by:
        return end
    for position in range(start, end):
        if not page.breaks_line(position):
            continue
        words = page.words_from(position + 1, _ABOUT_WORDS)
        if words and words[0] in extent.ended_by and extent.while_about.isdisjoint(words):
            return position + 1
    return end
