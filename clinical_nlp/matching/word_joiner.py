"""A note's tokens as the words that terms are matched on.

White space is left out; letters cut by full stops (``H.T.A.``), by the Catalan raised dot
(``al·lopurinol``) or by a dictation system (``en a la pril``) become one word again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from spacy.strings import StringStore

from clinical_nlp.matching.automaton import LINK
from clinical_nlp.matching.word_analyzer import Kind, WordAnalyzer, WordForm

#: Most pieces that are put together, and longest piece that is surely a tail.
_MAX_PIECES, _TAIL = 5, 3
#: Word forms remembered before they are learnt anew: a bound on memory in endless runs.
_MAX_FORMS = 400_000

_BREAK, _SPACE, _LETTER = Kind.BREAK, Kind.SPACE, Kind.LETTER
_BY_THE_NEXT = frozenset((Kind.LETTER, Kind.PIECE))  # need care only before some tokens


@dataclass(slots=True)
class WordSequence:
    """The words of a note as parallel lists.

    Parameters
    ----------
    forms
        The form of each word.
    first, last
        The tokens it begins and ends with.
    """

    forms: list[WordForm] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)

    @property
    def classes(self) -> list[int]:
        """The word class of every word."""
        return [form.word_class for form in self.forms]

    def add(self, form: WordForm, first: int, last: int) -> None:
        """Append a word over the tokens ``first`` to ``last``."""
        self.forms.append(form)
        self.first.append(first)
        self.last.append(last)

    def extend(self, tokens: Sequence[WordForm], start: int, end: int) -> None:
        """Append the tokens ``start`` to ``end`` (exclusive), a word each."""
        self.forms += tokens[start:end]
        self.first += range(start, end)
        self.last += range(start, end)


class WordJoiner:
    """Joins tokens into words.

    Parameters
    ----------
    analyzer
        Gives the form of each token.
    """

    def __init__(self, analyzer: WordAnalyzer) -> None:
        self._analyzer = analyzer
        self._beginnings = analyzer.beginnings
        self._forms: dict[int, WordForm] = {}

    def join(self, norms: list[int], strings: StringStore) -> WordSequence:
        """Return the words of a note, in time linear in its length.

        Parameters
        ----------
        norms
            Hash of each token's norm.
        strings
            The norms by their hash.
        """
        forms = self._forms
        if len(forms) > _MAX_FORMS:
            forms.clear()
        for key in set(norms).difference(forms):
            forms[key] = self._analyzer.analyse(strings[key])
        tokens = [forms[key] for key in norms]
        words = WordSequence()
        done = 0
        for index in [i for i, form in enumerate(tokens) if form.kind > _BREAK]:
            if index < done or self._is_plain(tokens, index):
                continue
            words.extend(tokens, done, index)
            done = self._special[tokens[index].kind](self, tokens, index, words, strings)
        words.extend(tokens, done, len(tokens))
        return words

    def _form(self, word: str, strings: StringStore) -> WordForm:
        key = strings.add(word)
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = self._analyzer.analyse(word)
        return form

    def _is_plain(self, tokens: Sequence[WordForm], index: int) -> bool:
        """Whether a letter or a piece needs no care, as most do not by what follows them."""
        form = tokens[index]
        if form.kind not in _BY_THE_NEXT:
            return False
        if index + 1 == len(tokens):
            return True
        following = tokens[index + 1]
        if form.kind == _LETTER:
            return following.text != "."
        if following.kind == _SPACE or following.text == "-":
            return False  # the next piece may stand behind it
        return form.text + following.text not in self._beginnings

    # Each method below appends what begins at ``index`` to ``words`` and returns the index
    # of the first token behind it.

    def _space(
        self, tokens: list[WordForm], index: int, words: WordSequence, strings: StringStore
    ) -> int:
        """White space is no word."""
        return index + 1

    def _letter(
        self, tokens: list[WordForm], index: int, words: WordSequence, strings: StringStore
    ) -> int:
        """``I.C.``: letters and full stops that together are an abbreviation."""
        word, end = "", index
        while end + 1 < len(tokens) and len(tokens[end].text) == 1 and tokens[end + 1].text == ".":
            word += tokens[end].text
            end += 2
        last = tokens[end].text if end < len(tokens) and tokens[end].kind == _LETTER else ""
        for whole, after in ((word + last, end + bool(last)), (word, end)):
            if word and len(whole) > 1 and "w:" + whole in self._analyzer.known:
                words.add(self._form(whole, strings), index, after - 1)
                return after
        return self._cut(tokens, index, words, strings)

    def _cut(
        self, tokens: list[WordForm], index: int, words: WordSequence, strings: StringStore
    ) -> int:
        """A cut-off word swallows the full stop that cuts it."""
        form = tokens[index]
        if index + 1 < len(tokens) and tokens[index + 1].text == ".":
            words.add(form, index, index)
            return index + 2
        if form.text in self._beginnings:
            return self._piece(tokens, index, words, strings)
        words.add(form, index, index)
        return index + 1

    def _raised_dot(
        self, tokens: list[WordForm], index: int, words: WordSequence, strings: StringStore
    ) -> int:
        """Catalan ``l·l``: one word."""
        follows = index + 1 < len(tokens) and tokens[index + 1].text.isalpha()
        if follows and words.last and words.last[-1] == index - 1:
            word = words.forms[-1].text + tokens[index + 1].text
            words.forms[-1], words.last[-1] = self._form(word, strings), index + 1
            return index + 2
        words.add(tokens[index], index, index)
        return index + 1

    def _piece(
        self, tokens: list[WordForm], index: int, words: WordSequence, strings: StringStore
    ) -> int:
        """Pieces that only make sense put together: one of them is no word we know."""
        word, end, best, whole = tokens[index].text, index + 1, 0, ""
        strange = self._analyzer.is_strange(tokens[index])
        pieces = 1
        while end < len(tokens) and pieces < _MAX_PIECES:
            piece = tokens[end]
            end += 1
            if piece.kind == _SPACE or piece.text == "-":
                continue
            word += piece.text
            if word not in self._beginnings:
                break
            strange = strange or self._analyzer.is_strange(piece) or self._is_tail(piece)
            pieces += 1
            if strange and word in self._analyzer.joined:
                best, whole = end, word
        if best:
            words.add(self._form(whole, strings), index, best - 1)
            return best
        words.add(tokens[index], index, index)
        return index + 1

    def _is_tail(self, form: WordForm) -> bool:
        """A short last piece that is no article ("fuma dor") is the end of a word."""
        glue = LINK in self._analyzer.automaton.symbols_of(form.word_class)
        return len(form.text) <= _TAIL and not glue and not self._analyzer.is_real(form.text)

    _special: Mapping[int, Callable[..., int]] = {
        Kind.SPACE: _space,
        Kind.LETTER: _letter,
        Kind.RAISED_DOT: _raised_dot,
        Kind.PIECE: _piece,
        Kind.CUT: _cut,
    }
