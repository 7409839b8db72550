"""What a word form is to the terms, and a note as a run of such words.

White space is left out; letters cut by full stops (``H.T.A.``), by the Catalan raised dot
(``al·lopurinol``) or by a dictation system (``en a la pril``) become one unit again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from spacy.strings import StringStore

from clinical_nlp.matching.automaton import Automaton
from clinical_nlp.matching.morphology import (
    Verbs,
    affective_base,
    basque_abbreviations,
    basque_bases,
    romance_stem,
)
from clinical_nlp.matching.notation import LINK, NUMBER, WORD
from clinical_nlp.matching.spelling import Speller

#: Shortest word that dictated pieces may be put together to, most pieces, and longest
#: piece that is surely a tail.
_MIN_JOINED, _MAX_PIECES, _TAIL = 6, 5, 3
#: Word forms remembered before they are learnt anew: a bound on memory in endless runs.
_MAX_FORMS = 400_000

#: A year counts nothing: "2012 con stent" is one stent, not two thousand.
_YEAR = re.compile("(?:19|20)[0-9]{2}")

# What a unit needs beside its class. PLAIN units and BREAKs need nothing.
PLAIN, BREAK, SPACE, LETTER, RAISED_DOT, PIECE, CUT = range(7)
_BY_THE_NEXT = frozenset((LETTER, PIECE))  # need it only before some tokens


@dataclass(slots=True)
class Form:
    """A word form, understood once.

    Parameters
    ----------
    text
        The norm.
    word_class
        Its class in the automaton.
    kind
        ``PLAIN`` or what special care it needs.
    guessed
        Its symbols come from the speller.
    """

    text: str
    word_class: int
    kind: int = PLAIN
    guessed: bool = False


@dataclass(slots=True)
class Units:
    """A note as units: parallel lists."""

    forms: list[Form] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)

    @property
    def classes(self) -> list[int]:
        """The word class of every unit."""
        return [form.word_class for form in self.forms]

    def add(self, form: Form, first: int, last: int) -> None:
        """Append a unit over the tokens ``first`` to ``last``."""
        self.forms.append(form)
        self.first.append(first)
        self.last.append(last)

    def extend(self, tokens: Sequence[Form], start: int, end: int) -> None:
        """Append the tokens ``start`` to ``end`` (exclusive), a unit each."""
        self.forms += tokens[start:end]
        self.first += range(start, end)
        self.last += range(start, end)


class Reader:
    """Understands word forms and reads notes into units.

    Parameters
    ----------
    automaton
        Numbers the word classes; its symbols are those that matter.
    verbs, speller
        See there.
    members
        For each symbol, the class symbols that its bearer also bears.
    surfaces
        Words of the lexicon with their symbols: what dictated pieces are joined to.
    stops
        Abbreviations after which a full stop does not end the sentence.
    abbreviations
        Short forms with the normalised words they stand for.
    negators
        Words that no gap of a term may swallow: "no aumentado" is not "aumentado".
    """

    def __init__(
        self,
        automaton: Automaton,
        verbs: Verbs,
        speller: Speller,
        members: Mapping[str, list[str]],
        surfaces: Iterable[str],
        stops: frozenset[str],
        abbreviations: Mapping[str, list[str]],
        negators: frozenset[str],
    ) -> None:
        self._automaton = automaton
        self._verbs = verbs
        self._speller = speller
        self._members = members
        self._known = automaton.symbols | frozenset(members)
        self._stops = stops | frozenset(abbreviations)
        self._abbreviations = abbreviations
        self._negators = negators
        self._surfaces = frozenset(surfaces)
        self._joined = frozenset(w for w in self._surfaces if len(w) >= _MIN_JOINED and w.isalpha())
        self._beginnings = frozenset(w[:n] for w in self._joined for n in range(2, len(w) + 1))
        self._forms: dict[int, Form] = {}

    # ---------------------------------------------------------------- words

    def symbols(self, word: str) -> frozenset[str]:
        """All symbols that a normalised word bears without any guessing."""
        known = self._known
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

    def _with_classes(self, found: Iterable[str]) -> frozenset[str]:
        every: set[str] = set()
        waiting = list(found)
        while waiting:
            symbol = waiting.pop()
            if symbol not in every:
                every.add(symbol)
                waiting.extend(self._members.get(symbol, ()))
        return frozenset(every)

    def understand(self, word: str) -> Form:
        """Understand a norm: exact symbols, else the speller's guess."""
        if not word or word.isspace():  # a lone accent or zero-width mark has no norm
            kind = BREAK if word.count("\n") > 1 else SPACE
            return Form("\n" if kind == BREAK else " ", self._number(frozenset()), kind)
        if word[0].isdigit():
            symbols = self.symbols(word) | {WORD}
            return Form(
                word, self._number(symbols if _YEAR.fullmatch(word) else symbols | {NUMBER})
            )
        if not word.isalpha():
            kind = RAISED_DOT if word == "·" else PLAIN
            return Form(word, self._number(self.symbols(word)), kind)
        symbols = self.symbols(word)
        any_word = frozenset() if word in self._negators else frozenset({WORD})
        form = Form(word, -1, LETTER if len(word) == 1 else PLAIN)
        if not symbols:
            symbols = self._with_classes(self._speller.slips(word) or self._speller.cuts(word))
            form.guessed = bool(symbols)
        elif word not in self._surfaces:
            # "conserv" is the stem of "conserva", and "conservada" cut off as well.
            symbols |= self._with_classes(self._speller.cuts(word))
        form.word_class = self._number(symbols | any_word)
        if word in self._stops or form.guessed:
            form.kind = CUT
        elif form.kind == PLAIN and word in self._beginnings:
            form.kind = PIECE
        return form

    def _number(self, symbols: frozenset[str]) -> int:
        return self._automaton.word_class(symbols & self._automaton.symbols | symbols & {WORD})

    def _form(self, word: str, strings: StringStore) -> Form:
        key = strings.add(word)
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = self.understand(word)
        return form

    # ---------------------------------------------------------------- notes

    def read(self, norms: list[int], strings: StringStore) -> Units:
        """Read a note's norm hashes into units, in time linear in their number."""
        forms = self._forms
        if len(forms) > _MAX_FORMS:
            forms.clear()
        for key in set(norms).difference(forms):
            forms[key] = self.understand(strings[key])
        tokens = [forms[key] for key in norms]
        units = Units()
        done = 0
        for index in [i for i, form in enumerate(tokens) if form.kind > BREAK]:
            if index < done or self._is_plain(tokens, index):
                continue
            units.extend(tokens, done, index)
            done = self._special[tokens[index].kind](self, tokens, index, units, strings)
        units.extend(tokens, done, len(tokens))
        return units

    def _is_plain(self, tokens: Sequence[Form], index: int) -> bool:
        """Whether a letter or a piece needs no care, as most do not by what follows them."""
        form = tokens[index]
        if form.kind not in _BY_THE_NEXT:
            return False
        if index + 1 == len(tokens):
            return True
        following = tokens[index + 1]
        if form.kind == LETTER:
            return following.text != "."
        if following.kind == SPACE or following.text == "-":
            return False  # the next piece may stand behind it
        return form.text + following.text not in self._beginnings

    def _space(self, tokens: list[Form], index: int, units: Units, strings: StringStore) -> int:
        """White space is no unit."""
        return index + 1

    def _letter(self, tokens: list[Form], index: int, units: Units, strings: StringStore) -> int:
        """``I.C.``: letters and full stops that together are an abbreviation."""
        word, end = "", index
        while end + 1 < len(tokens) and len(tokens[end].text) == 1 and tokens[end + 1].text == ".":
            word += tokens[end].text
            end += 2
        last = tokens[end].text if end < len(tokens) and tokens[end].kind == LETTER else ""
        for whole, after in ((word + last, end + bool(last)), (word, end)):
            if word and len(whole) > 1 and "w:" + whole in self._known:
                units.add(self._form(whole, strings), index, after - 1)
                return after
        return self._cut(tokens, index, units, strings)

    def _cut(self, tokens: list[Form], index: int, units: Units, strings: StringStore) -> int:
        """A cut-off word swallows the full stop that cuts it."""
        form = tokens[index]
        if index + 1 < len(tokens) and tokens[index + 1].text == ".":
            units.add(form, index, index)
            return index + 2
        if form.text in self._beginnings:
            return self._piece(tokens, index, units, strings)
        units.add(form, index, index)
        return index + 1

    def _raised_dot(
        self, tokens: list[Form], index: int, units: Units, strings: StringStore
    ) -> int:
        """Catalan ``l·l``: one word."""
        follows = index + 1 < len(tokens) and tokens[index + 1].text.isalpha()
        if follows and units.last and units.last[-1] == index - 1:
            word = units.forms[-1].text + tokens[index + 1].text
            units.forms[-1], units.last[-1] = self._form(word, strings), index + 1
            return index + 2
        units.add(tokens[index], index, index)
        return index + 1

    def _piece(self, tokens: list[Form], index: int, units: Units, strings: StringStore) -> int:
        """Pieces that only make sense put together: one of them is no word we know."""
        word, strange, end, best = tokens[index].text, self._strange(tokens[index]), index + 1, 0
        pieces = 1
        whole = ""
        while end < len(tokens) and pieces < _MAX_PIECES:
            piece = tokens[end]
            end += 1
            if piece.kind == SPACE or piece.text == "-":
                continue
            word += piece.text
            if word not in self._beginnings:
                break
            strange = strange or self._strange(piece) or self._is_tail(piece)
            pieces += 1
            if strange and word in self._joined:
                best, whole = end, word
        if best:
            units.add(self._form(whole, strings), index, best - 1)
            return best
        units.add(tokens[index], index, index)
        return index + 1

    def _is_tail(self, form: Form) -> bool:
        """A short last piece that is no article ("fuma dor") is the end of a word."""
        glue = LINK in self._automaton.symbols_of(form.word_class)
        return len(form.text) <= _TAIL and not glue and not self._speller.is_real(form.text)

    def _strange(self, form: Form) -> bool:
        bare = self._automaton.symbols_of(form.word_class) == {WORD}
        return bare and not self._speller.is_real(form.text)

    _special: Mapping[int, Callable[..., int]] = {
        SPACE: _space,
        LETTER: _letter,
        RAISED_DOT: _raised_dot,
        PIECE: _piece,
        CUT: _cut,
    }
