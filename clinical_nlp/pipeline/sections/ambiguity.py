"""Words that are a heading in some places only: ``[[ambiguous]]`` of ``sections.toml``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clinical_nlp.pipeline.sections.page import Page

#: Signs that may precede a heading.
LEADING_SIGNS = frozenset(
    {"-", "–", "—", "*", "•", "#", "·", "=", ">", "►", "➢", "▪", "■", "●", "("}
)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: tokens ``start`` to ``end`` (exclusive, colon included) and its section."""

    start: int
    end: int
    section: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Conditions under which some words are no heading; see ``sections.toml``."""

    headings: frozenset[tuple[str, ...]]
    within: frozenset[str]
    followed_by: frozenset[str]
    preceded_by: frozenset[str]
    unless_followed_by: frozenset[str]
    before_number: bool
    number_may_be: frozenset[str]
    opens_sentence: bool

    @classmethod
    def from_rule(cls, rule: Mapping[str, Any]) -> Ambiguity:
        """Read one ``[[ambiguous]]`` table."""
        return cls(
            headings=frozenset(words_of(h) for h in rule["headings"]),
            within=frozenset(rule.get("within", ())),
            followed_by=frozenset(rule.get("followed_by", ())),
            preceded_by=frozenset(rule.get("preceded_by", ())),
            unless_followed_by=frozenset(rule.get("unless_followed_by", ())),
            before_number=bool(rule.get("before_number", False)),
            number_may_be=frozenset(rule.get("number_may_be", ())),
            opens_sentence=bool(rule.get("opens_sentence", False)),
        )

    def denies(self, page: Page, heading: Heading, previous: Heading | None) -> bool:
        """Whether the words are no heading at this place."""
        if self.opens_sentence and not _opens_sentence(page, heading, previous):
            return True
        if self.before_number and self._before_number(page, heading.end):
            return True
        following = page.words_from(heading.end, 5)
        if not self.unless_followed_by.isdisjoint(following[:3]):
            return False
        if previous is not None and previous.section in self.within:
            return True
        if not self.followed_by.isdisjoint(following):
            return True
        first = previous.end if previous is not None else 0
        return not self.preceded_by.isdisjoint(_line_before(page, heading.start, first))

    def _before_number(self, page: Page, end: int) -> bool:
        position = page.skip_space(end)
        if position >= page.size or not page.norms[position][0].isdigit():
            return False
        following = page.norms[position + 1] if position + 1 < page.size else ""
        listed = "list" in self.number_may_be and following in (")", ".")
        paired = "pair" in self.number_may_be and following == "/"
        return not (listed or paired)


def _opens_sentence(page: Page, heading: Heading, previous: Heading | None) -> bool:
    """Whether only another heading precedes a heading in its sentence."""
    position = heading.start
    while position > 0:
        if page.opens_sentence(position) or page.opens_line(position):
            return True
        if previous is not None and position == previous.end:
            return True
        before = page.norms[position - 1]
        numbered = before.isdigit() and page.norms[position] in (".", ")")
        if not (before in LEADING_SIGNS or before.isspace() or before in (".", ")") or numbered):
            return False
        position -= 1
    return True


def _line_before(page: Page, start: int, first: int) -> Iterable[str]:
    """Yield the words of the same line before ``start``, as far back as ``first``."""
    position = start - 1
    while position >= first and not page.breaks_line(position):
        yield page.norms[position]
        position -= 1


def words_of(heading: str) -> tuple[str, ...]:
    """Return the words of a heading as the data file writes it."""
    return tuple(_WORD.findall(heading))
