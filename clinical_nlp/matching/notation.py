"""The notation in which terms are written, opened into sequences of symbols.

=============  ==========================================================================
written        matches
=============  ==========================================================================
``disnea``     the word in any number or gender (Basque: any case), also misspelt
``HTA``        capitals: this abbreviation exactly, also with dots (H.T.A.)
``=gota``      this form exactly
``<dormir>``   any form of a verb of ``words.toml``; at the start of a term also its
               pronouns and auxiliary ("se le han hinchado")
``{pierna}``   any entry of a word class of ``words.toml``
``#``          a number, in figures or words
``*`` ``*3``   up to one (three) words whatever they are
``(a|b c)``    one of these
``[a|b]``      one of these, or nothing
=============  ==========================================================================

Between the words of a term, articles, prepositions and degree words come and go freely
(class ``link``): "dolor en el pecho" also matches "dolor intenso de pecho".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.morphology import romance_stem
from clinical_nlp.matching.norms import normalise_word

NUMBER = "c:number"
#: Borne by every word and number, by no punctuation: what ``*`` takes.
WORD = "any:word"
LINK = "c:link"

_ATOM = re.compile(
    r"\s*(?:(?P<open>[(\[])|(?P<close>[)\]])|(?P<bar>\|)|<(?P<verb>[^>]+)>|\{(?P<name>[^}]+)\}"
    r"|(?P<gap>\*)(?P<upto>\d?)|(?P<number>#)|=(?P<exact>[^\s()\[\]|]+)|(?P<word>[^\s()\[\]|]+))"
)
_PIECE = re.compile(r"\d+|[^\W\d_]+|[^\w\s'’/.-]")


@dataclass(frozen=True, slots=True)
class Run:
    """Parts one after the other; no parts match nothing and always succeed."""

    parts: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several patterns."""

    options: tuple[Pattern, ...]


#: A symbol, or patterns put together.
Pattern: TypeAlias = "str | Run | Choice"

_NOTHING = Run()


def _maybe(pattern: Pattern) -> Pattern:
    return Choice((pattern, _NOTHING))


#: What may stand before a verb: its pronouns and auxiliary ("se le han").
_OPENING = (_maybe("c:pronoun"), _maybe("c:pronoun"), _maybe("c:auxiliary"))


@dataclass(slots=True)
class Vocabulary:
    """What the notation needs to know of words, and what it learns of them.

    Parameters
    ----------
    verbs
        Lemmas that ``<…>`` may name.
    classes
        Entries of each word class, in the notation.
    glue
        Normalised words that are not asked for where a term writes them.
    verb_forms
        The commonest forms of the verbs, each with its symbol.
    surfaces
        Filled while terms are opened: each written form with its symbol, for the speller.
    """

    verbs: frozenset[str]
    classes: Mapping[str, Sequence[str]]
    glue: frozenset[str]
    verb_forms: tuple[tuple[str, str], ...] = ()
    surfaces: dict[str, str] = field(default_factory=dict)
    _opened: dict[tuple[str, bool], Pattern] = field(default_factory=dict)

    def open(self, text: str, language: str) -> Pattern:
        """Return the pattern of symbols that a term stands for.

        Raises
        ------
        PipelineError
            E314 where the notation is broken or names a verb or class that is not there.
        """
        atoms = list(_ATOM.finditer(text))
        if not atoms or atoms[-1].end() != len(text.rstrip()):
            raise self._broken(text, "cannot be read")
        pattern = self._choice(text, language, atoms, first=True)
        if atoms:
            raise self._broken(text, "closes a bracket that it does not open")
        return pattern

    def _choice(
        self,
        text: str,
        language: str,
        atoms: list[re.Match[str]],
        *,
        first: bool,
        optional: bool = False,
    ) -> Pattern:
        """Read ``a|b c`` up to the closing bracket or the end, consuming ``atoms``."""
        options: list[Pattern] = []
        parts: list[Pattern] = []
        opens = first
        while atoms and not atoms[0]["close"]:
            atom = atoms.pop(0)
            if atom["bar"]:
                options.append(_sequence(parts))
                parts, opens = [], first
            elif atom["open"]:
                maybe = atom["open"] == "["
                inner = self._choice(text, language, atoms, first=opens, optional=maybe)
                if not atoms or atoms.pop(0)["close"] != {"(": ")", "[": "]"}[atom["open"]]:
                    raise self._broken(text, "leaves a bracket open")
                parts.append(_maybe(inner) if maybe else inner)
                opens = opens and maybe
            else:
                # The only word of an alternative is meant as written, glue or not; an
                # optional article is there anyway.
                lone = not optional and not parts and _ends(atoms)
                parts.append(self._atom(text, language, atom, first=opens, lone=lone))
                opens = False
        options.append(_sequence(parts))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _atom(
        self, text: str, language: str, atom: re.Match[str], *, first: bool, lone: bool
    ) -> Pattern:
        if atom["number"]:
            return NUMBER
        if atom["gap"]:
            return _sequence([_maybe(WORD)] * int(atom["upto"] or 1))
        if atom["verb"]:
            if atom["verb"] not in self.verbs:
                raise self._broken(text, f"names the verb <{atom['verb']}>, which is not there")
            verb = "v:" + atom["verb"]
            return _sequence([*_OPENING, verb])
        if atom["name"]:
            return self._class(text, atom["name"], first=first)
        return self._words(language, atom["exact"], atom["word"], keep=lone or first)

    def _words(self, language: str, exact: str | None, word: str | None, *, keep: bool) -> Pattern:
        """A written word; with hyphens or digits inside, several symbols."""
        symbols: list[Pattern] = []
        written = exact or word or ""
        for piece in _PIECE.findall(written.replace("·", "")) or [written]:
            normal = normalise_word(piece)
            glue = normal in self.glue
            if exact or not normal.isalpha() or _is_abbreviation(piece):
                symbols.append("w:" + normal)
            elif glue and (symbols or not keep):
                continue  # comes and goes by itself
            elif glue:
                symbols.append("w:" + normal)
            else:
                stem = "e:" + normal if language == "eu" else "s:" + romance_stem(normal)
                self.surfaces.setdefault(normal, stem)
                symbols.append(stem)
        return _sequence(symbols)

    def _class(self, text: str, name: str, *, first: bool) -> Pattern:
        """A class is one symbol for its single words, and its phrases beside it."""
        if name not in self.classes:
            raise self._broken(text, f"names the class {{{name}}}, which is not there")
        if (name, first) not in self._opened:
            options: list[Pattern] = ["c:" + name]
            for entry in self.classes[name]:
                pattern = self._entry(name, entry, first=first)
                if not isinstance(pattern, str):  # a single word is under the class's symbol
                    options.append(pattern)
            self._opened[name, first] = Choice(tuple(options)) if len(options) > 1 else options[0]
        return self._opened[name, first]

    def _entry(self, name: str, entry: str, *, first: bool) -> Pattern:
        # Classes whose name ends in _eu hold Basque words, which take case endings.
        language = "eu" if name.endswith("_eu") else "es"
        return self._choice(entry, language, list(_ATOM.finditer(entry)), first=first)

    def members(self) -> dict[str, list[str]]:
        """Return for each symbol the classes that its bearer belongs to."""
        of: dict[str, list[str]] = {}
        for name, entries in self.classes.items():
            for entry in entries:
                symbol = self._entry(name, entry, first=False)
                if isinstance(symbol, Run) and symbol.parts[:-1] == _OPENING:
                    symbol = symbol.parts[-1]  # a verb
                if isinstance(symbol, str):
                    of.setdefault(symbol, []).append("c:" + name)
        return of

    @staticmethod
    def _broken(text: str, what: str) -> PipelineError:
        return PipelineError(
            "E314",
            f"The term '{text}' of the lexicon {what}: "
            "see docs/how-to/lexicon.md for the notation.",
        )


def _ends(rest: list[re.Match[str]]) -> bool:
    """True where an alternative ends before ``rest``."""
    return not rest or bool(rest[0]["bar"] or rest[0]["close"])


def _sequence(parts: list[Pattern]) -> Pattern:
    return parts[0] if len(parts) == 1 else Run(tuple(parts))


def _is_abbreviation(written: str) -> bool:
    """Capitals make an abbreviation: HTA, ICFEr, AINEs; a capital initial does not."""
    capitals = sum(letter.isupper() for letter in written)
    return capitals >= 2 or (capitals == 1 and len(written) == 1)
