"""The words of a doc as the measurement readers see them, without white space."""

from __future__ import annotations

from bisect import bisect_left

from spacy.tokens import Doc

from clinical_nlp.pipeline.rules import norms_of

#: Signs between the two numbers of a range or of a blood pressure.
DASHES = frozenset({"-", "–", "—"})
#: Closing bracket of each opening one.
BRACKETS = {"(": ")", "[": "]"}
_ENDS = frozenset({".", ";", "?", "!"})


class Words:
    """The norms of a doc's tokens; positions count words, not tokens.

    Parameters
    ----------
    doc
        Tokenised note. White-space tokens are left out, so that doubled blanks and
        wrapped lines make no difference; a blank line is kept as a border.
    """

    def __init__(self, doc: Doc) -> None:
        self.doc = doc
        norms = norms_of(doc)
        blanks: list[int] = []
        for index in [index for index, norm in enumerate(norms) if norm.isspace()]:
            if doc[index].is_space:
                blanks.append(index)
            else:  # a lone accent, typed for an apostrophe
                norms[index] = "'"
        left_out = frozenset(blanks)
        self.tokens = [index for index in range(len(norms)) if index not in left_out]
        self.norms = [norms[index] for index in self.tokens]
        self.size = len(self.norms)
        self._borders = {
            bisect_left(self.tokens, index) for index in blanks if norms[index].count("\n") > 1
        }

    def at(self, position: int) -> str:
        """Return the norm of a word; empty outside the text."""
        return self.norms[position] if 0 <= position < self.size else ""

    def is_border(self, position: int) -> bool:
        """Whether a blank line precedes this word."""
        return position in self._borders

    def is_adjacent(self, position: int) -> bool:
        """Whether no white space separates this word from the one before."""
        if not 0 < position < self.size:
            return False
        before = self.tokens[position - 1]
        return before + 1 == self.tokens[position] and not self.doc[before].whitespace_

    def before(self, position: int, count: int) -> list[str]:
        """Return at most ``count`` words of the sentence before this one, nearest first."""
        words: list[str] = []
        while position > 0 and len(words) < count:
            if self.is_border(position):
                break
            position -= 1
            if self.norms[position] in _ENDS:
                break
            words.append(self.norms[position])
        return words

    def after(self, position: int, count: int) -> list[str]:
        """Return at most ``count`` words of the sentence from this one on."""
        words: list[str] = []
        while position < self.size and len(words) < count:
            if self.norms[position] in _ENDS or self.is_border(position):
                break
            words.append(self.norms[position])
            position += 1
        return words

    def closing_bracket(self, position: int, limit: int) -> int:
        """Return the place before ``limit`` of the bracket closing that at ``position``; else 0."""
        sign = BRACKETS.get(self.at(position))
        if sign is not None:
            for place in range(position + 1, min(limit, self.size)):
                if self.norms[place] == sign:
                    return place
        return 0

    def text_of(self, first: int, end: int) -> tuple[int, str]:
        """Return the offset and the text of the words ``first`` to ``end`` (exclusive)."""
        start, last = self.tokens[first], self.tokens[end - 1]
        if start == last:
            token = self.doc[start]
            return token.idx, token.text
        span = self.doc[start : last + 1]
        return span.start_char, span.text
