"""The one syntax in which terms, cues and gates are written.

==============  ===========================================================================
written         matches
==============  ===========================================================================
``disnea``      the word. In a term in any number or gender (Basque: any case), also
                misspelt; in a cue or gate this form, whatever its case and accents
``HTA``         in a term, capitals: this abbreviation exactly, also with dots (H.T.A.)
``=gota``       this form exactly
``=(`` ``==``   a sign that means something here: brackets, bar, equals sign
``cardio*``     gates: any word that begins so
``<dormir>``    terms: any form of a verb of ``words.toml``; at the start of a term also
                its pronouns and auxiliary ("se le han hinchado")
``{pierna}``    any entry of a word list: ``words.toml`` (terms), ``macros.toml`` (cues),
                the ``lists`` of ``gates.toml`` (gates)
``#``           a number (terms: in figures or words)
``#year``       cues, gates: a year, 1900-2099
``#start``      cues: the start of a sentence; ``#end`` its end; ``#target`` a word of a
                finding
``*``           any one word
``*3``          up to three words whatever they are; no match ends on them
``(a|b c)``     one of these
``[a|b]``       one of these, or nothing
==============  ===========================================================================

Blanks separate words. Anything else stands for itself: ``,`` ``:`` ``?`` ``-``. Between the
words of a term, articles, prepositions and degree words come and go freely: "dolor en el
pecho" also matches "dolor intenso de pecho". Cues and gates match only what is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast


class PatternError(ValueError):
    """A pattern that cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Concat:
    """Patterns one after the other; none of them match nothing and always succeed."""

    parts: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several patterns."""

    options: tuple[Pattern, ...]


#: A symbol, or patterns put together.
Pattern: TypeAlias = "str | Concat | Choice"

NOTHING = Concat()

AtomKind: TypeAlias = Literal["word", "exact", "prefix", "verb", "list", "mark", "any", "gap"]


@dataclass(frozen=True, slots=True)
class Atom:
    """One construct that stands for words.

    Parameters
    ----------
    kind
        Which construct.
    text
        What is written inside it: the word, the verb's or list's name, the mark's name
        (empty for a number).
    first
        Nothing but optional constructs stands before it.
    alone
        It is all that an alternative of a choice, or the pattern, begins and ends with.
    """

    kind: AtomKind
    text: str
    first: bool
    alone: bool


_TOKEN = re.compile(
    r"\s*(?:(?P<open>[(\[])|(?P<close>[)\]])|(?P<bar>\|)"
    r"|<(?P<verb>[^>]+)>|\{(?P<list>[^}]+)\}"
    r"|\*(?P<gap>\d)|(?P<any>\*)(?=[\s()\[\]|]|$)|\#(?P<mark>[a-z]*)"
    r"|=(?P<exact>[()\[\]|]|[^\s()\[\]|]+)"
    r"|(?P<prefix>[^\s()\[\]|=*#<{]+)\*(?=[\s()\[\]|]|$)|(?P<word>[^\s()\[\]|=*#<{][^\s()\[\]|*]*)"
    r"|(?P<bad>\S))"
)


def parse(text: str, leaf: Callable[[Atom], Pattern], *, first: bool = True) -> Pattern:
    """Parse a pattern.

    Parameters
    ----------
    text
        As the module's docstring describes.
    leaf
        Gives the pattern that an atom stands for. It is asked in the order of the text.
    first
        Nothing stands before the text.

    Raises
    ------
    PatternError
        If the text is empty or a bracket is missing, or whatever ``leaf`` raises.
    """
    parser = _Parser(text, leaf)
    pattern = parser.alternatives(first=first, keep=True)
    if not parser.at_end():
        raise PatternError("closes a bracket that it does not open")
    return pattern


def optional(pattern: Pattern) -> Pattern:
    """Return the pattern or nothing."""
    return Choice((pattern, NOTHING))


def concat(parts: list[Pattern]) -> Pattern:
    """Return the parts one after the other."""
    return parts[0] if len(parts) == 1 else Concat(tuple(parts))


def is_optional(pattern: Pattern) -> bool:
    """Whether a pattern also matches nothing."""
    if isinstance(pattern, str):
        return False
    if isinstance(pattern, Choice):
        return any(map(is_optional, pattern.options))
    return all(map(is_optional, pattern.parts))


class _Parser:
    """A recursive descent over the tokens of one text."""

    def __init__(self, text: str, leaf: Callable[[Atom], Pattern]) -> None:
        self._leaf = leaf
        self._tokens = list(_TOKEN.finditer(text.strip()))
        self._at = 0
        if not self._tokens:
            raise PatternError("is empty")
        for token in self._tokens:
            if token["bad"]:
                raise PatternError(f"has '{token['bad']}' where it cannot stand")

    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def _next(self) -> re.Match[str] | None:
        if self.at_end():
            return None
        self._at += 1
        return self._tokens[self._at - 1]

    def _ends(self) -> bool:
        """Whether an alternative ends here."""
        return self.at_end() or self._tokens[self._at].lastgroup in ("bar", "close")

    def alternatives(self, *, first: bool, keep: bool) -> Pattern:
        """Read ``a|b c`` up to a closing bracket or the end."""
        options = [self._row(first=first, keep=keep)]
        while not self.at_end() and self._tokens[self._at]["bar"]:
            self._at += 1
            options.append(self._row(first=first, keep=keep))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _row(self, *, first: bool, keep: bool) -> Pattern:
        """Read one alternative; ``keep`` is false in square brackets, where no word is alone."""
        parts: list[Pattern] = []
        while not self._ends() and (token := self._next()):
            if token["open"]:
                square = token["open"] == "["
                inner = self.alternatives(first=first, keep=not square)
                closing = self._next()
                if closing is None or closing["close"] != ("]" if square else ")"):
                    raise PatternError("leaves a bracket open")
                parts.append(optional(inner) if square else inner)
                first = first and square
                continue
            kind = cast("AtomKind", token.lastgroup)
            alone = keep and not parts and self._ends()
            pattern = self._leaf(Atom(kind, token[kind], first, alone))
            parts.append(
                concat([optional(pattern)] * int(token["gap"])) if kind == "gap" else pattern
            )
            first = False
        return concat(parts)
