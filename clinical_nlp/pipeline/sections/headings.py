"""Find headings: words before a colon, alone on a line, or with a date."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from clinical_nlp.pipeline.sections.ambiguity import LEADING_SIGNS, Ambiguity, Heading, words_of
from clinical_nlp.pipeline.sections.page import Page

_BOUNDARIES = frozenset({",", ";", ":", "]", "[", "•", "?", "!"})
# On tokens joined by blanks: a date, optional words before and after it, and the colon or
# bracket (or the end of the line) that closes the heading.
_REENTRY = re.compile(
    r"""
    (?:[-–—=*\#_][ ])* (?P<open>\[[ ])?
    (?P<before>(?:[^\W\d_]+[ ]|[.][ ]){0,4})
    (?P<day>\d{1,2}) (?:[ ](?P<sign>[/-])[ ]|[.]) (?P<month>\d{1,2})
    (?:(?:[ ](?P=sign)[ ]|[.])(?:\d{4}|\d{2}))? [ ]
    (?P<after>(?:[^\W\d_]+[ ]|[().,][ ]){0,6}?)
    (?(open)\][ ](?::[ ])?|(?::[ ]|(?=¶)))
    """,
    re.VERBOSE,
)
_LONGEST = 14  # tokens in a heading with its brackets
_LINE_END = "¶"
_REENTRY_LENGTH = 18
_DATE_WITHIN = 8
_DAYS, _MONTHS = 31, 12


class HeadingFinder:
    """Finds the headings of a page.

    Parameters
    ----------
    sections
        ``[sections.*]`` of ``sections.toml``: by key, ``headings``, ``alone``, ``bare``
        and ``soap`` lists.
    ambiguities
        Conditions under which some of them are no headings.
    reentry
        ``[reentry]``: words around the date of a re-entry, and the section it opens.
    """

    def __init__(
        self,
        sections: Mapping[str, Mapping[str, Any]],
        ambiguities: Sequence[Ambiguity],
        reentry: Mapping[str, Any],
    ) -> None:
        self._before_colon = _index(sections, ("headings", "soap"))
        self._alone = _index(sections, ("alone",))
        self._bare = _index(sections, ("bare",))
        self._soap = _index(sections, ("soap",))
        # Last and first words of headings, so that most tokens need no look-up.
        self._last_words = frozenset(words[-1] for words in self._before_colon)
        self._first_alone = frozenset(words[0] for words in self._alone)
        self._first_bare = frozenset(words[0] for words in self._bare)
        self._longest_bare = max((len(words) for words in self._bare), default=0)
        self._ambiguities = {words: a for a in ambiguities for words in a.headings}
        self._reentry_section = str(reentry["section"])
        self._reentry_words = frozenset(reentry["words"])
        self._nursing = frozenset(reentry["nursing"])

    def find(self, page: Page) -> list[Heading]:
        """Return the headings in order, without overlaps."""
        candidates = [*self._at_colons(page), *self._at_sentences(page)]
        candidates.sort(key=lambda h: (h.start, -h.end))
        headings: list[Heading] = []
        for heading in candidates:
            previous = headings[-1] if headings else None
            if previous is not None and heading.start < previous.end:
                continue
            ambiguity = self._ambiguities.get(heading.words)
            if ambiguity is None or not ambiguity.denies(page, heading, previous):
                headings.append(heading)
        return headings

    def _at_colons(self, page: Page) -> Iterator[Heading]:
        norms = page.norms
        for colon in [place for place, norm in enumerate(norms) if norm == ":"]:
            if not self._may_close(norms[colon - 1] if colon else ""):
                continue
            start, words = self._phrase_before(page, colon)
            section = self._before_colon.get(words)
            if section is not None:
                yield Heading(start, colon + 1, section, words)

    def _may_close(self, norm: str) -> bool:
        """Whether a heading may end with this word: its last one, a bracket, a date."""
        return norm in self._last_words or norm == ")" or norm == "." or not norm.isalpha()

    @staticmethod
    def _phrase_before(page: Page, colon: int) -> tuple[int, tuple[str, ...]]:
        norms = page.norms
        words: list[str] = []
        start, position, depth = colon, colon - 1, 0
        while position >= max(0, colon - _LONGEST):
            norm = norms[position]
            if page.breaks_line(position) or norm in _BOUNDARIES:
                break
            if norm == ")":
                depth += 1
            elif norm == "(" and depth:
                depth -= 1
            elif not depth and norm[0].isalpha() and norm.isalnum():
                words.append(norm)
                start = position
            if page.opens_sentence(position):
                break
            position -= 1
        return start, tuple(reversed(words))

    def _at_sentences(self, page: Page) -> Iterator[Heading]:
        for opening in page.sentence_starts:
            start = opening
            while start < page.size and (
                page.norms[start] in LEADING_SIGNS or page.norms[start].isspace()
            ):
                start += 1
            if start >= page.size:
                continue
            heading = (
                self._reentry(page, opening)
                or self._soap_letter(page, start)
                or self._alone_on_line(page, start)
                or self._without_colon(page, start)
            )
            if heading is not None:
                yield heading

    def _soap_letter(self, page: Page, start: int) -> Heading | None:
        """Read a SOAP letter without its colon: ``S)``, ``O.-``, ``A -``."""
        words = (page.norms[start],)
        section = self._soap.get(words)
        if section is None:
            return None
        signs = "".join(page.norms[start + 1 : start + 3])
        if signs.startswith(")"):
            return Heading(start, start + 2, section, words)
        if signs in (".-", ".)", ".–"):
            return Heading(start, start + 3, section, words)
        if signs.startswith("-") and page.opens_line(start):
            return Heading(start, start + 2, section, words)
        return None

    def _alone_on_line(self, page: Page, start: int) -> Heading | None:
        if page.norms[start] not in self._first_alone:
            return None
        words: list[str] = []
        position = start
        while not page.breaks_line(position):
            norm = page.norms[position]
            if norm.isalnum():
                words.append(norm)
            position += 1
            if position - start > _LONGEST:
                return None
        section = self._alone.get(tuple(words))
        return Heading(start, position, section, tuple(words)) if section is not None else None

    def _without_colon(self, page: Page, start: int) -> Heading | None:
        if page.norms[start] not in self._first_bare:
            return None
        for length in range(self._longest_bare, 0, -1):
            words = tuple(page.norms[start : start + length])
            section = self._bare.get(words)
            if section is not None:
                # At the end of the note there may be fewer words than asked for.
                return Heading(start, start + len(words), section, words)
        return None

    def _reentry(self, page: Page, start: int) -> Heading | None:
        """Read ``[17/11 enf]``, ``25/10:``, ``Enf 02/03:`` at the start of a line."""
        if not page.opens_line(start) or not any(
            norm[0].isdigit() for norm in page.norms[start : start + _DATE_WITHIN]
        ):
            return None
        match = _REENTRY.match(_line_head(page, start))
        if match is None or int(match["day"]) > _DAYS or int(match["month"]) > _MONTHS:
            return None
        before, after = match["before"].split(), match["after"].split()
        if not match["open"] and not self._reentry_words.issuperset(before):
            return None
        words = tuple(word for word in (*before, *after) if word.isalpha())
        nursing = not self._nursing.isdisjoint(words)
        end = start + len(match.group().split())
        return Heading(start, end, "nursing" if nursing else self._reentry_section, words)


def _line_head(page: Page, start: int) -> str:
    """Return the first tokens of a line, a blank after each; white space ``_``, end ``¶``."""
    end = start
    while end < start + _REENTRY_LENGTH and not page.breaks_line(end):
        end += 1
    head = ["_" if norm.isspace() else norm for norm in page.norms[start:end]]
    if page.breaks_line(end):
        head.append(_LINE_END)
    return "".join(f"{norm} " for norm in head)


def _index(
    sections: Mapping[str, Mapping[str, Any]], lists: Iterable[str]
) -> dict[tuple[str, ...], str]:
    index: dict[tuple[str, ...], str] = {}
    for key, section in sections.items():
        for name in lists:
            for heading in section.get(name, ()):
                words = words_of(heading)
                if index.setdefault(words, key) != key:
                    raise ValueError(f"heading '{heading}' opens {index[words]} and {key}")
    return index
