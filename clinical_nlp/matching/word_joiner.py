"""A note's tokens as the words that terms are matched on.

White space is left out; letters cut by full stops (``H.T.A.``), by the Catalan raised dot
(``al·lopurinol``) or by a dictation system (``en a la pril``) become one word again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spacy.strings import StringStore

from clinical_nlp.matching.automaton import LINK
from clinical_nlp.matching.recent import RecentWords
from clinical_nlp.matching.word_analyzer import Kind, WordAnalyzer, WordForm

#: Most pieces that are put together, and longest piece that is surely a tail.
_MAX_PIECES, _TAIL = 5, 3

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
        self.analyzer = analyzer
        self._forms = RecentWords[int, WordForm]()

    def join(self, norms: list[int], strings: StringStore) -> WordSequence:
        """Return the words of a note, in time linear in its length.

        Parameters
        ----------
        norms
            Hash of each token's norm.
        strings
            The norms by their hash.
        """
        forms = self._forms.of(norms, lambda key: self.analyzer.analyse(strings[key]))
        tokens = [forms[key] for key in norms]
        note = _Note(self, tokens, strings)
        words, done = note.words, 0
        for index in [i for i, form in enumerate(tokens) if form.kind > _BREAK]:
            if index >= done and note.needs_care(index):
                words.extend(tokens, done, index)
                done = note.append(index)
        words.extend(tokens, done, len(tokens))
        return words

    def form(self, word: str, strings: StringStore) -> WordForm:
        """Return the form of a joined word."""
        key = strings.add(word)
        return self._forms.of((key,), lambda _: self.analyzer.analyse(word))[key]


class _Note:
    """The tokens of one note, and the words joined so far.

    The methods named after a kind append what begins at a token, and return the index of the
    first token behind it.
    """

    def __init__(self, joiner: WordJoiner, tokens: list[WordForm], strings: StringStore) -> None:
        self._joiner, self._analyzer = joiner, joiner.analyzer
        self._beginnings = joiner.analyzer.beginnings
        self._tokens = tokens
        self._strings = strings
        self.words = WordSequence()

    def needs_care(self, index: int) -> bool:
        """Whether a token is not a word by itself: a letter or piece seldom, by the next one."""
        form = self._tokens[index]
        if form.kind not in _BY_THE_NEXT:
            return True
        if index + 1 == len(self._tokens):
            return False
        following = self._tokens[index + 1]
        if form.kind == _LETTER:
            return following.text == "."
        if following.kind == _SPACE or following.text == "-":
            return True  # the next piece may stand behind it
        return form.text + following.text in self._beginnings

    def append(self, index: int) -> int:
        """Append the word that begins at a token, by the kind of the token."""
        match self._tokens[index].kind:
            case Kind.SPACE:
                return index + 1
            case Kind.LETTER:
                return self._letter(index)
            case Kind.RAISED_DOT:
                return self._raised_dot(index)
            case Kind.PIECE:
                return self._piece(index)
        return self._cut(index)

    def _add(self, word: str, first: int, end: int) -> int:
        """Append a joined word over the tokens ``first`` to ``end`` (exclusive)."""
        self.words.add(self._joiner.form(word, self._strings), first, end - 1)
        return end

    def _alone(self, index: int) -> int:
        self.words.add(self._tokens[index], index, index)
        return index + 1

    def _letter(self, index: int) -> int:
        """``I.C.``: letters and full stops that together are an abbreviation."""
        tokens, word, end = self._tokens, "", index
        while end + 1 < len(tokens) and len(tokens[end].text) == 1 and tokens[end + 1].text == ".":
            word += tokens[end].text
            end += 2
        last = tokens[end].text if end < len(tokens) and tokens[end].kind == _LETTER else ""
        for whole, after in ((word + last, end + bool(last)), (word, end)):
            if word and len(whole) > 1 and "w:" + whole in self._analyzer.known:
                return self._add(whole, index, after)
        return self._cut(index)

    def _cut(self, index: int) -> int:
        """A short form takes the full stop behind it."""
        if index + 1 < len(self._tokens) and self._tokens[index + 1].text == ".":
            return self._alone(index) + 1
        if self._tokens[index].text in self._beginnings:
            return self._piece(index)
        return self._alone(index)

    def _raised_dot(self, index: int) -> int:
        """Catalan ``l·l``: one word."""
        tokens, words = self._tokens, self.words
        follows = tokens[index + 1].text if index + 1 < len(tokens) else ""
        before = words.forms[-1].text if words.last and words.last[-1] == index - 1 else ""
        if not (follows.isalpha() and follows.startswith("l") and before.endswith("l")):
            return self._alone(index)  # 'HTA S · DM2 S': between items of a form
        word = words.forms[-1].text + tokens[index + 1].text
        words.forms[-1] = self._joiner.form(word, self._strings)
        words.last[-1] = index + 1
        return index + 2

    def _piece(self, index: int) -> int:
        """Pieces that only make sense put together: one of them is no known word."""
        word, whole, best = self._tokens[index].text, "", 0
        strange = self._analyzer.is_strange(self._tokens[index])
        pieces = 1
        for place in range(index + 1, len(self._tokens)):
            piece = self._tokens[place]
            if piece.kind == _SPACE or piece.text == "-":
                continue
            word += piece.text
            if word not in self._beginnings:
                break
            strange = strange or self._analyzer.is_strange(piece) or self._is_tail(piece)
            pieces += 1
            if strange and word in self._analyzer.joined:
                whole, best = word, place + 1
            if pieces == _MAX_PIECES:
                break
        return self._add(whole, index, best) if best else self._alone(index)

    def _is_tail(self, form: WordForm) -> bool:
        """A short last piece that is no article ("fuma dor") is the end of a word."""
        glue = LINK in self._analyzer.automaton.symbols_of(form.word_class)
        return len(form.text) <= _TAIL and not glue and not self._analyzer.is_real(form.text)
