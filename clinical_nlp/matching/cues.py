"""Cue phrases, found in the words of a sentence.

The syntax is :mod:`clinical_nlp.matching.syntax`'s, the automaton the one that finds terms.
medSpaCy's own matchers try every rule at every token in Python callbacks and on a ``Doc``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.automaton import ANY, GAP, Automaton
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.recent import RecentWords
from clinical_nlp.matching.syntax import Atom, Choice, Pattern, PatternError, is_optional, parse

#: Sentinels that stand before the first and after the last word of a sentence.
START, END = "#start", "#end"
#: Stands for each word of a target: what a target says of itself is no cue.
TARGET = "#target"
#: The one word whose accent counts: *sí* affirms, *si* opens a condition (or lacks its accent).
YES = "sí"

_NUMBER, _YEAR = "#", "#year"
_SENTINELS = frozenset((START, END, TARGET))
_MARKS = _SENTINELS | {_NUMBER, _YEAR}
_IS_YEAR = re.compile(r"(?:19|20)\d\d\Z")


def cue_word(word: str) -> str:
    """Return the form of a word that cues match on."""
    return YES if unicodedata.normalize("NFC", word) == YES else normalise_word(word)


def compile_cue(form: str, word_lists: Mapping[str, Sequence[str]], rule: str) -> Pattern:
    """Compile a cue phrase into a pattern.

    Parameters
    ----------
    form
        The phrase.
    word_lists
        What ``{name}`` stands for: patterns by name.
    rule
        Name of the rule, for the error.

    Raises
    ------
    PipelineError
        E320: the phrase cannot be read, names a list or mark that does not exist, or
        matches nothing.
    """
    try:
        pattern = parse(form, partial(_atom, word_lists))
        if is_optional(pattern):
            raise PatternError("matches nothing")
    except PatternError as error:
        raise PipelineError(
            "E320", f"form '{form}' of rule '{rule}' {error}: see docs/reference/pattern-syntax.md"
        ) from error
    return pattern


def _atom(word_lists: Mapping[str, Sequence[str]], atom: Atom) -> Pattern:
    match atom.kind:
        case "any":
            return ANY
        case "gap":
            return GAP
        case "mark" if "#" + atom.text in _MARKS:
            return "#" + atom.text
        case "word" | "exact":
            return "w:" + cue_word(atom.text)
        case "list" if atom.text in word_lists:
            leaf = partial(_atom, word_lists)
            return Choice(tuple(parse(entry, leaf) for entry in word_lists[atom.text]))
    raise PatternError(f"names the {atom.kind} '{atom.text}', which is not there")


class Match(NamedTuple):
    """Words ``start`` to ``end`` (exclusive) match the patterns with these numbers."""

    start: int
    end: int
    patterns: tuple[int, ...]


class CueMatcher:
    """Finds every pattern in a row of normalised words, the longest match at each place.

    Parameters
    ----------
    patterns
        Compiled cues; matches refer to them by position.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._automaton = Automaton(patterns)
        self._classes = RecentWords[str, int]()

    def find(
        self,
        words: Sequence[str],
        wanted: Callable[[int, int, tuple[int, ...]], object] | None = None,
    ) -> list[Match]:
        """Return the longest match at every place, overlapping ones included.

        Parameters
        ----------
        words
            Normalised words.
        wanted
            Whether a match (start, end, patterns) counts; one that does not hides no shorter
            one. All count without it.
        """
        classes = self._classes.of(words, self._word_class)
        longest: dict[int, Match] = {}
        for start, end, patterns in self._automaton.matches([classes[word] for word in words]):
            if wanted is None or wanted(start, end, patterns):
                longest[start] = Match(start, end, patterns)  # those of one start come by end
        return list(longest.values())

    def _word_class(self, word: str) -> int:
        symbols = {word} if word in _SENTINELS else {"w:" + word}
        if word[0].isdigit():
            symbols.add(_NUMBER)
            if _IS_YEAR.match(word):
                symbols.add(_YEAR)
        elif word[0].isalpha():
            symbols |= {ANY, GAP}
        return self._automaton.word_class(self._automaton.symbols & symbols)


def prune(matches: Sequence[Match]) -> list[Match]:
    """Drop matches that overlap a longer one (the leftmost of equals stays).

    The rule is medSpaCy's ``prune_overlapping_matches``, in one pass.
    """
    kept: list[Match] = []
    for match in matches:  # in order of start
        while kept and match.start < kept[-1].end:
            if match.end - match.start <= kept[-1].end - kept[-1].start:
                break
            kept.pop()
        else:
            kept.append(match)
    return kept
