"""From a written term to a pattern of symbols.

The syntax is :mod:`clinical_nlp.matching.syntax`'s; what the symbols are, see
:mod:`clinical_nlp.matching.morphology`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.automaton import ANY, GAP
from clinical_nlp.matching.morphology import Verbs, romance_stem
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.syntax import (
    Atom,
    Choice,
    Concat,
    Pattern,
    PatternError,
    concat,
    optional,
    parse,
)

NUMBER = "c:number"

_PIECE = re.compile(r"\d+|[^\W\d_]+|[^\w\s'’/.-]")

#: What may stand before a verb: its pronouns and auxiliary ("se le han").
_BEFORE_VERB = (optional("c:pronoun"), optional("c:pronoun"), optional("c:auxiliary"))


class Vocabulary:
    """Compiles terms into patterns, and learns their words.

    Parameters
    ----------
    words
        Content of ``words.toml``; its ``classes`` are the word lists, and the words of the
        list ``glue`` are not asked for where a term writes them.
    verbs
        Those that ``<…>`` may name.

    Attributes
    ----------
    verb_forms
        The commonest forms of the verbs, each with its symbol.
    surfaces
        Filled while terms are compiled: each written form with its symbol, for the speller.
    """

    def __init__(self, words: Mapping[str, Any], verbs: Verbs) -> None:
        self._verbs = verbs.lemmas
        self._classes: Mapping[str, Sequence[str]] = words["classes"]
        self._glue = frozenset(map(normalise_word, self._classes["glue"]))
        self.verb_forms = [(form, "v:" + lemma) for form, lemma in verbs.citation_forms()]
        self.surfaces: dict[str, str] = {}
        self._compiled: dict[tuple[str, bool], Pattern] = {}

    def compile(self, text: str, language: str) -> Pattern:
        """Return the pattern of symbols that a term stands for.

        Raises
        ------
        PipelineError
            E314 where the term cannot be read or names a verb or list that is not there.
        """
        try:
            return parse(text, partial(self._atom, language))
        except PatternError as error:
            raise PipelineError(
                "E314",
                f"The term '{text}' of the lexicon {error}: see docs/reference/pattern-syntax.md.",
            ) from error

    def members(self) -> dict[str, list[str]]:
        """Return for each symbol the symbols of the word lists that its bearer belongs to."""
        of: dict[str, list[str]] = {}
        for name, entries in self._classes.items():
            for entry in entries:
                symbol = self._entry(name, entry, first=False)
                if isinstance(symbol, Concat) and symbol.parts[:-1] == _BEFORE_VERB:
                    symbol = symbol.parts[-1]
                if isinstance(symbol, str):
                    of.setdefault(symbol, []).append("c:" + name)
        return of

    def _atom(self, language: str, atom: Atom) -> Pattern:
        match atom.kind:
            case "any":
                return ANY
            case "gap":
                return GAP
            case "mark" if not atom.text:
                return NUMBER
            case "verb" if atom.text in self._verbs:
                return Concat((*_BEFORE_VERB, "v:" + atom.text))
            case "list" if atom.text in self._classes:
                return self._class(atom.text, first=atom.first)
            case "word" | "exact":
                return self._words(language, atom)
        raise PatternError(f"names the {atom.kind} '{atom.text}', which is not there")

    def _words(self, language: str, atom: Atom) -> Pattern:
        """A written word; with hyphens or digits inside, several symbols."""
        symbols: list[Pattern] = []
        # The only word of an alternative is meant as written, glue or not; an optional
        # article is there anyway.
        keep = atom.alone or atom.first
        for piece in _PIECE.findall(atom.text.replace("·", "")) or [atom.text]:
            normal = normalise_word(piece)
            if atom.kind == "exact" or not normal.isalpha() or _is_abbreviation(piece):
                symbols.append("w:" + normal)
            elif normal in self._glue:
                if keep and not symbols:
                    symbols.append("w:" + normal)
            else:
                stem = "e:" + normal if language == "eu" else "s:" + romance_stem(normal)
                self.surfaces.setdefault(normal, stem)
                symbols.append(stem)
        return concat(symbols)

    def _class(self, name: str, *, first: bool) -> Pattern:
        """A list is one symbol for its single words, and its phrases beside it."""
        if (name, first) not in self._compiled:
            options: list[Pattern] = ["c:" + name]
            for entry in self._classes[name]:
                pattern = self._entry(name, entry, first=first)
                if not isinstance(pattern, str):  # a single word is under the list's symbol
                    options.append(pattern)
            self._compiled[name, first] = Choice(tuple(options)) if len(options) > 1 else options[0]
        return self._compiled[name, first]

    def _entry(self, name: str, entry: str, *, first: bool) -> Pattern:
        # Lists whose name ends in _eu hold Basque words, which take case endings.
        language = "eu" if name.endswith("_eu") else "es"
        return parse(entry, partial(self._atom, language), first=first)


def _is_abbreviation(written: str) -> bool:
    """Capitals make an abbreviation: HTA, ICFEr, AINEs; a capital initial does not."""
    capitals = sum(letter.isupper() for letter in written)
    return capitals >= 2 or (capitals == 1 and len(written) == 1)
