"""What a word form may stand for in a term: its symbols, exact or guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from clinical_nlp.matching.automaton import ANY, GAP, Automaton
from clinical_nlp.matching.morphology import (
    Verbs,
    affective_base,
    basque_abbreviations,
    basque_bases,
    romance_stem,
)
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.spelling import Speller
from clinical_nlp.matching.vocabulary import NUMBER, Vocabulary

#: Shortest word that dictated pieces may be put together to.
_MIN_JOINED = 6

#: A year counts nothing: "2012 con stent" is one stent, not two thousand.
_YEAR = re.compile("(?:19|20)[0-9]{2}")

_ANY_WORD = frozenset((ANY, GAP))


class Kind(IntEnum):
    """What a form needs beside its word class; ``PLAIN`` and ``BREAK`` need nothing."""

    PLAIN = 0
    BREAK = 1  # a blank line
    SPACE = 2
    LETTER = 3
    RAISED_DOT = 4
    PIECE = 5  # may be the beginning of a word dictated in pieces
    CUT = 6  # a short form, whose full stop ends no sentence


@dataclass(slots=True)
class WordForm:
    """A word form, analysed once.

    Parameters
    ----------
    text
        The norm.
    word_class
        Its class in the automaton.
    kind
        What it needs beside its class.
    guessed
        Its symbols come from the speller.
    """

    text: str
    word_class: int
    kind: int = Kind.PLAIN
    guessed: bool = False


class WordAnalyzer:
    """Gives the symbols of word forms.

    Parameters
    ----------
    automaton
        Numbers the word classes; its symbols are those that matter.
    vocabulary
        Has compiled the terms: its surfaces are the words of the lexicon.
    verbs
        The lexicon's verbs.
    words
        Content of ``words.toml``: ``stops``, ``abbreviations``, ``negators``.
    real_words
        Words never to be corrected.
    """

    def __init__(
        self,
        automaton: Automaton,
        vocabulary: Vocabulary,
        verbs: Verbs,
        words: Mapping[str, Any],
        real_words: Iterable[str],
    ) -> None:
        self.automaton = automaton
        self._verbs = verbs
        spellings = dict(vocabulary.verb_forms) | vocabulary.surfaces
        self._speller = Speller(spellings, real_words)
        self._members = vocabulary.members()
        self.known = automaton.symbols | frozenset(self._members)
        self._abbreviations = {
            short: [normalise_word(full) for full in fulls]
            for short, fulls in words["abbreviations"].items()
        }
        self._stops = frozenset(words["stops"]) | frozenset(self._abbreviations)
        self._negators = frozenset(words["negators"])
        self._surfaces = frozenset(vocabulary.surfaces)
        #: Words that dictated pieces may be joined to, and all that they begin with.
        self.joined = frozenset(w for w in self._surfaces if len(w) >= _MIN_JOINED and w.isalpha())
        self.beginnings = frozenset(w[:n] for w in self.joined for n in range(2, len(w) + 1))

    def symbols(self, word: str) -> frozenset[str]:
        """All symbols that a normalised word bears without any guessing."""
        known = self.known
        found = {s for s in ("w:" + word, "s:" + romance_stem(word)) if s in known}
        for full in self._abbreviations.get(word, ()):
            found.update(s for s in ("s:" + romance_stem(full), "e:" + full) if s in known)
        if word[-1:] == "s" and len(word) > 3 and "w:" + word[:-1] in known:
            found.add("w:" + word[:-1])  # AINEs
        found.update("v:" + lemma for lemma in self._verbs.lemmas_of(word))
        found.update(s for s in ("e:" + base for base in basque_bases(word)) if s in known)
        found.update("w:" + base for base in basque_abbreviations(word) if "w:" + base in known)
        if not found and (base := affective_base(word)) is not None:
            found.update(s for s in ("s:" + base, "s:" + romance_stem(base + "a")) if s in known)
        return self._with_classes(found)

    def analyse(self, word: str) -> WordForm:
        """Return the form of a norm: its exact symbols, else the speller's guess."""
        # A lone accent or zero-width mark has no norm; exports join words by '_'.
        if not word or word.isspace() or word == "_":
            kind = Kind.BREAK if word.count("\n") > 1 else Kind.SPACE
            text = "\n" if kind == Kind.BREAK else " "
            return WordForm(text, self._word_class(frozenset()), kind)
        symbols = self.symbols(word)
        if word[0].isdigit():
            number = frozenset() if _YEAR.fullmatch(word) else frozenset((NUMBER,))
            return WordForm(word, self._word_class(symbols | _ANY_WORD | number))
        if not word.isalpha():
            kind = Kind.RAISED_DOT if word == "·" else Kind.PLAIN
            return WordForm(word, self._word_class(symbols), kind)
        guessed = False
        if not symbols:
            guess = self._speller.corrections(word) or self._speller.completions(word)
            symbols = self._with_classes(guess)
            guessed = bool(symbols)
        elif word not in self._surfaces:
            # "conserv" is the stem of "conserva", and "conservada" cut off as well.
            symbols |= self._with_classes(self._speller.completions(word))
        if word not in self._negators:
            symbols |= _ANY_WORD
        return WordForm(word, self._word_class(symbols), self._kind(word, guessed), guessed)

    def is_strange(self, form: WordForm) -> bool:
        """Whether a form is neither a word of the terms nor a Spanish word that we know."""
        symbols = self.automaton.symbols_of(form.word_class)
        bare = bool(symbols) and symbols <= _ANY_WORD
        return bare and not self._speller.is_real(form.text)

    def is_real(self, word: str) -> bool:
        """Whether a word is on the list of those never to be corrected."""
        return self._speller.is_real(word)

    def _kind(self, word: str, guessed: bool) -> Kind:
        if word in self._stops or guessed:
            return Kind.CUT
        if len(word) == 1:
            return Kind.LETTER
        return Kind.PIECE if word in self.beginnings else Kind.PLAIN

    def _with_classes(self, found: Iterable[str]) -> frozenset[str]:
        every: set[str] = set()
        waiting = list(found)
        while waiting:
            symbol = waiting.pop()
            if symbol not in every:
                every.add(symbol)
                waiting.extend(self._members.get(symbol, ()))
        return frozenset(every)

    def _word_class(self, symbols: frozenset[str]) -> int:
        return self.automaton.word_class(symbols & self.automaton.symbols)
