"""The small language that cue phrases are written in, and a matcher linear in the text.

A form is a row of elements separated by blanks, each standing for one word:

``disnea``
    that word, whatever its accents and case (but ``sí``, which is not ``si``);
``no|sin|ni``
    any of them;
``@month``
    any word of a named list (a macro of the rule file);
``#year  #num  #end  #start  #target``
    a year (1900-2099), a token that begins with a digit, the end or start of a sentence,
    a word of a target;
``*``
    any one word that is not punctuation;
``?x``
    the element may be missing (``?de|del``: either of the two, or neither).

medSpaCy's matchers try every rule at every token in Python callbacks and on a ``Doc``;
this one compiles all forms into one automaton whose states are built when first met
(lazy subset construction: Aho, Sethi and Ullman, *Compilers*, 1986, section 3.7), so a
word costs one dictionary look-up however many rules there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.norms import normalise_word

#: Sentinels that stand before the first and after the last word of a sentence.
START, END = "#start", "#end"
#: Stands for each word of a target: what a target says of itself is no cue.
TARGET = "#target"
#: The one word whose accent counts: *sí* affirms, *si* opens a condition (or lacks its accent).
YES = "sí"

_CLASSES = ("#year", "#num", START, END, TARGET, "*")
_YEAR = re.compile(r"(?:19|20)\d\d\Z")
_OTHER_WORD, _OTHER_SIGN = "*", "#sign"
_NONE: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Element:
    """One place of a form: the words or classes that fit it."""

    words: frozenset[str]
    optional: bool = False


def parse_form(form: str, macros: Mapping[str, Sequence[str]], rule: str) -> tuple[Element, ...]:
    """Parse a form.

    Parameters
    ----------
    form
        As the module's docstring describes.
    macros
        Word lists by name, without the ``@``.
    rule
        Name of the rule, for the error.

    Raises
    ------
    PipelineError
        E320: the form is empty or names a macro or class that does not exist.
    """
    elements = []
    for piece in form.split():
        optional = len(piece) > 1 and piece[0] == "?"
        words: set[str] = set()
        for word in (piece[1:] if optional else piece).split("|"):
            if word.startswith("@"):
                if word[1:] not in macros:
                    raise PipelineError(
                        "E320", f"rule '{rule}' names the list '{word}': define it in [macros]"
                    )
                words.update(normalise_word(w) for w in macros[word[1:]])
            elif word.startswith("#") and word not in _CLASSES:
                raise PipelineError(
                    "E320", f"rule '{rule}' names the class '{word}': use one of {_CLASSES}"
                )
            else:
                words.add(YES if word == YES else normalise_word(word))
        elements.append(Element(frozenset(words), optional))
    if not elements or all(e.optional for e in elements):
        raise PipelineError("E320", f"rule '{rule}' has a form that fits no word: write one")
    return tuple(elements)


@dataclass(frozen=True, slots=True)
class Match:
    """Words ``start`` to ``end`` (exclusive) fit the forms numbered ``forms``."""

    start: int
    end: int
    forms: tuple[int, ...]


class PhraseMatcher:
    """Finds every form in a row of normalised words, longest match first.

    Parameters
    ----------
    forms
        Parsed forms; matches refer to them by position.
    """

    def __init__(self, forms: Sequence[tuple[Element, ...]]) -> None:
        self._forms = forms
        where: dict[str, set[tuple[int, int]]] = {}
        for number, form in enumerate(forms):
            for place, element in enumerate(form):
                for word in element.words:
                    where.setdefault(word, set()).add((number, place))
        # Places of forms that ask for a word.
        self._where = {word: frozenset(places) for word, places in where.items()}
        self._states: dict[frozenset[tuple[int, int]], int] = {}
        self._members: list[frozenset[tuple[int, int]]] = []
        self._accepts: list[tuple[int, ...]] = []
        self._steps: list[dict[str, int]] = []
        self._initial = self._state(self._closure((f, 0) for f in range(len(forms))))
        # A form that opens with any word ("?* está retirado") would have each word of each
        # sentence followed up: it is looked for only where a word stands that it must hold.
        wide = [f for f, form in enumerate(forms) if _opens_with_any(form)]
        self._asked = frozenset(word for f in wide for word in _last_needed(forms[f]).words)
        if not self._asked.isdisjoint(_CLASSES):
            wide, self._asked = [], frozenset()
        narrow = set(range(len(forms))).difference(wide)
        self._narrow = self._state(self._closure((f, 0) for f in sorted(narrow)))
        self._dead = self._state(frozenset())

    def symbols(self, words: Sequence[str]) -> list[str]:
        """Reduce words to what the forms can tell apart."""
        return [w if w in self._where else self._class_of(w) for w in words]

    def find(
        self, words: Sequence[str], wanted: Callable[[tuple[int, ...]], object] = bool
    ) -> list[Match]:
        """Return the longest match at every place, overlapping ones included.

        Parameters
        ----------
        words
            Normalised words.
        wanted
            Whether a match of these forms counts; one that does not hides no shorter one.
        """
        symbols = self.symbols(words)
        matches = []
        steps, accepts, dead = self._steps, self._accepts, self._dead
        initial = self._narrow if self._asked.isdisjoint(words) else self._initial
        opening = steps[initial]
        for start, first in enumerate(symbols):
            state = opening.get(first, -1)
            if state < 0:
                state = self._step(initial, first)
            if state == dead:  # most words open no cue
                continue
            end, accepted = start, 0
            if accepts[state] and wanted(accepts[state]):
                end, accepted = start + 1, state
            for place in range(start + 1, len(symbols)):
                symbol = symbols[place]
                following = steps[state].get(symbol)
                if following is None:
                    following = self._step(state, symbol)
                state = following
                if state == dead:
                    break
                if accepts[state] and wanted(accepts[state]):
                    end, accepted = place + 1, state
            if end > start:
                matches.append(Match(start, end, accepts[accepted]))
        return matches

    @staticmethod
    def _class_of(word: str) -> str:
        if word in (START, END, TARGET):
            return word
        if word[0].isdigit():
            return "#year" if _YEAR.match(word) else "#num"
        return _OTHER_WORD if word[0].isalpha() else _OTHER_SIGN

    def _closure(self, items: Iterable[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        closed: set[tuple[int, int]] = set()
        for form, place in items:
            closed.add((form, place))
            while place < len(self._forms[form]) and self._forms[form][place].optional:
                place += 1
                closed.add((form, place))
        return frozenset(closed)

    def _state(self, items: frozenset[tuple[int, int]]) -> int:
        known = self._states.get(items)
        if known is None:
            known = self._states[items] = len(self._members)
            self._members.append(items)
            self._steps.append({})
            self._accepts.append(tuple(sorted(f for f, p in items if p == len(self._forms[f]))))
        return known

    def _step(self, state: int, symbol: str) -> int:
        fits = {symbol}
        if symbol[0].isalpha():
            fits.add("*")
        if symbol == "#year" or symbol[0].isdigit():
            fits.add("#num")
        if _YEAR.match(symbol):
            fits.add("#year")
        met = self._members[state]
        following = [
            (form, place + 1) for word in fits for form, place in met & self._where.get(word, _NONE)
        ]
        target = self._state(self._closure(following) if following else frozenset())
        self._steps[state][symbol] = target
        return target


def _opens_with_any(form: Sequence[Element]) -> bool:
    for element in form:
        if "*" in element.words:
            return True
        if not element.optional:
            break
    return False


def _last_needed(form: Sequence[Element]) -> Element:
    return next(element for element in reversed(form) if not element.optional)


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
