"""Context gates: what must stand around an ambiguous term for it to mean its concept.

``gates.toml`` holds them as data. A gate is a list of rules read from the top; the first
whose conditions all hold decides, and ``otherwise`` where none does. Conditions are lists
of phrases in the syntax of :mod:`clinical_nlp.matching.syntax`. They look at a few words
around a term, most of them never: regular expressions serve better than an automaton.

==========  =================================================================
condition   holds where one of the phrases
==========  =================================================================
before      ends right before the term
after       begins right after it
left        stands within the fifteen words before, in the same sentence
right       stands within the ten words after, in the same sentence
near        either of these
line        stands within thirty words on either side, whatever the sentence
note        stands anywhere in the note
section     is the key of the section that the term stands in
==========  =================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.syntax import Atom, Choice, Pattern, PatternError, is_optional, parse

_LEFT, _RIGHT, _LINE = 15, 10, 30
_SENTENCE_ENDS = frozenset(".;?!\n")
_CONDITIONS = ("before", "after", "left", "right", "near", "line", "note")
_NUMBERS = {"": r"\d+(?:[.,]\d+)* ", "year": r"(?:19|20)\d\d "}


class Context:
    """The words of a note, from which gates take those around a term.

    Parameters
    ----------
    words
        Norms of the note's words and punctuation; a line feed stands for a paragraph's end,
        other white space is left out.
    section
        Gives the section key at a word.
    """

    def __init__(self, words: Sequence[str], section: Callable[[int], str | None]) -> None:
        self.words = words
        self.section = section
        self._notes: dict[re.Pattern[str], bool] = {}
        # A gate asks the same place several times, one rule after the other.
        self._lefts: tuple[int, str] = (-1, "")
        self._rights: tuple[int, str] = (-1, "")

    def left(self, start: int) -> str:
        """The words of the sentence before ``start``, fifteen at most."""
        if self._lefts[0] == start:
            return self._lefts[1]
        index, floor = start, max(0, start - _LEFT)
        while index > floor and self.words[index - 1] not in _SENTENCE_ENDS:
            index -= 1
        self._lefts = start, _joined(self.words[index:start])
        return self._lefts[1]

    def right(self, end: int) -> str:
        """The words of the sentence from ``end``, ten at most."""
        if self._rights[0] == end:
            return self._rights[1]
        words = self.words[end : end + _RIGHT]
        ends = (i for i, word in enumerate(words, start=1) if word in _SENTENCE_ENDS)
        self._rights = end, _joined(words[: next(ends, len(words))])
        return self._rights[1]

    def line(self, start: int, end: int) -> str:
        """Thirty words on either side, the term left out."""
        before, after = self.words[max(0, start - _LINE) : start], self.words[end : end + _LINE]
        return _joined(before) + _joined(after)

    def note_has(self, pattern: re.Pattern[str]) -> bool:
        """True where the pattern stands anywhere in the note."""
        known = self._notes.get(pattern)
        if known is None:
            known = self._notes[pattern] = bool(pattern.search(_joined(self.words)))
        return known


def _joined(words: Iterable[str]) -> str:
    return " " + " ".join(words) + " "


class _Rule:
    """One rule of a gate."""

    __slots__ = ("_patterns", "_sections", "accept")

    def __init__(self, name: str, data: Mapping[str, Any], lists: Mapping[str, list[str]]) -> None:
        unknown = sorted(set(data) - {*_CONDITIONS, "section", "accept", "why"})
        if unknown or "accept" not in data:
            raise PipelineError(
                "E315",
                f"A rule of the gate '{name}' has unknown keys {unknown} or lacks 'accept': "
                "correct it in gates.toml.",
            )
        self.accept = bool(data["accept"])
        self._sections = frozenset(data.get("section", ()))
        try:
            self._patterns = [
                (condition, _compile(condition, data[condition], lists))
                for condition in _CONDITIONS
                if condition in data
            ]
        except PatternError as error:
            raise PipelineError(
                "E315", f"A phrase of the gate '{name}' {error}: correct it in gates.toml."
            ) from error

    def holds(self, context: Context, start: int, end: int) -> bool:
        """True where all of the rule's conditions hold for the words ``start:end``."""
        if self._sections and context.section(start) not in self._sections:
            return False
        for condition, pattern in self._patterns:
            if condition == "note":
                found = context.note_has(pattern)
            elif condition == "line":
                found = bool(pattern.search(context.line(start, end)))
            else:
                found = (
                    condition in ("before", "left", "near")
                    and bool(pattern.search(context.left(start)))
                ) or (
                    condition in ("after", "right", "near")
                    and bool(pattern.search(context.right(end)))
                )
            if not found:
                return False
        return True


def _compile(
    condition: str, phrases: Iterable[str], lists: Mapping[str, list[str]]
) -> re.Pattern[str]:
    """One regular expression for a list of phrases, over words that blanks surround."""
    options: list[Pattern] = []
    for phrase in phrases:
        pattern = parse(phrase, partial(_atom, lists))
        if is_optional(pattern):
            raise PatternError(f"'{phrase}' matches nothing")
        options.extend(pattern.options if isinstance(pattern, Choice) else [pattern])
    body = "|".join(map(_expression, options))
    start, end = "^" * (condition == "after"), "$" * (condition == "before")
    return re.compile(f"{start} (?:{body}){end}")


def _expression(pattern: Pattern) -> str:
    """A pattern whose symbols are regular expressions, each with the blank behind its word."""
    if isinstance(pattern, str):
        return pattern
    if isinstance(pattern, Choice):
        return f"(?:{'|'.join(map(_expression, pattern.options))})"
    return "".join(map(_expression, pattern.parts))


def _atom(lists: Mapping[str, list[str]], atom: Atom) -> Pattern:
    match atom.kind:
        case "word" | "exact":
            return re.escape(normalise_word(atom.text)) + " "
        case "prefix":
            return re.escape(normalise_word(atom.text)) + r"\S* "
        case "any" | "gap":
            return r"\S+ "
        case "mark" if atom.text in _NUMBERS:
            return _NUMBERS[atom.text]
        case "list" if atom.text in lists:
            leaf = partial(_atom, lists)
            return Choice(tuple(parse(phrase, leaf) for phrase in lists[atom.text]))
    raise PatternError(f"names the {atom.kind} '{atom.text}', which is not there")


class Gates:
    """All gates of the lexicon.

    Parameters
    ----------
    data
        Content of ``gates.toml``: ``lists`` and one table a gate.

    Raises
    ------
    PipelineError
        E315 where a rule is not understood.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        lists = data.get("lists", {})
        self._gates: dict[str, tuple[list[_Rule], bool]] = {
            name: (
                [_Rule(name, rule, lists) for rule in gate.get("rules", ())],
                bool(gate.get("otherwise", False)),
            )
            for name, gate in data.items()
            if name != "lists"
        }

    def __contains__(self, name: str) -> bool:
        return name in self._gates

    def lets_through(self, name: str, context: Context, start: int, end: int) -> bool:
        """True where the gate accepts the words ``start:end`` of a note."""
        rules, otherwise = self._gates[name]
        for rule in rules:
            if rule.holds(context, start, end):
                return rule.accept
        return otherwise
