"""The words of a doc as the measurement readers see them, without white space."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property

from spacy.tokens import Doc

from clinical_nlp.pipeline.measurements.markup import MARKUP_SIGNS, markup_tokens
from clinical_nlp.pipeline.measurements.misread import LETTERS, merge_misread
from clinical_nlp.pipeline.rules import norms_of, text_of

#: Signs between the two numbers of a range or of a blood pressure.
DASHES = frozenset({"-", "–", "—"})
#: Closing bracket of each opening one.
BRACKETS = {"(": ")", "[": "]"}
_DATE_SIGNS = frozenset({"/", "-"})
_BOUNDS = frozenset({"<", ">", "≤", "≥"})
_ENDS = frozenset({".", ";", "?", "!"})
#: Signs that look like another one, as word processors and PDFs put them: the fraction and
#: the division slash, the minus sign and the two hyphens of Unicode.
_LOOKALIKES = {"\u2044": "/", "\u2215": "/", "\u2212": "-", "\u2010": "-", "\u2011": "-"}
#: Blanks that separate thousands and nothing else: no-break, figure, thin, narrow no-break.
THIN_BLANKS = frozenset({"\u00a0", "\u2007", "\u2009", "\u202f"})


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
        present = set(norms)
        spaces = {norm for norm in present if norm.isspace()}
        blanks: list[int] = []
        for index in [index for index, norm in enumerate(norms) if norm in spaces]:
            if doc[index].is_space:
                blanks.append(index)
            else:  # a lone accent, typed for an apostrophe
                norms[index] = "'"
        if not _LOOKALIKES.keys().isdisjoint(present):
            norms = [_LOOKALIKES.get(norm, norm) for norm in norms]
        self._last = {} if LETTERS.isdisjoint(present) else merge_misread(doc, norms)
        left_out = {i for first, last in self._last.items() for i in range(first + 1, last + 1)}
        left_out.update(
            blanks,
            self._field_lines(norms) if "_" in present else (),
            () if MARKUP_SIGNS.isdisjoint(present) else markup_tokens(doc, norms),
        )
        self.tokens = [index for index in range(len(norms)) if index not in left_out]
        self.norms = [norms[index] for index in self.tokens]
        self.size = len(self.norms)
        self._digits = {norm for norm in present if norm[0].isdigit()}
        breaks = [index for index in blanks if "\n" in norms[index]]
        self._lines = {bisect_left(self.tokens, index) for index in breaks}
        self._borders = {
            bisect_left(self.tokens, index) for index in breaks if norms[index].count("\n") > 1
        }

    def _field_lines(self, norms: list[str]) -> list[int]:
        """Return the strokes that hug what was written on them: '__78,4__', 'FEVI_inicial'."""
        found: list[int] = []
        start = 0
        while start < len(norms):
            end = start + 1
            if norms[start] == "_":
                while end < len(norms) and norms[end] == "_" and not self.doc[end - 1].whitespace_:
                    end += 1
                before = start > 0 and not self.doc[start - 1].whitespace_
                after = end < len(norms) and not self.doc[end - 1].whitespace_
                written = (before and norms[start - 1][-1:].isdigit()) or (
                    after and (norms[end][:1].isdigit() or norms[end] in _BOUNDS)
                )
                joint = end == start + 1 and before and after
                if written or joint:
                    found.extend(range(start, end))
            start = end
        return found

    def at(self, position: int) -> str:
        """Return the norm of a word; empty outside the text."""
        return self.norms[position] if 0 <= position < self.size else ""

    def is_border(self, position: int) -> bool:
        """Whether a blank line precedes this word."""
        return position in self._borders

    def starts_line(self, position: int) -> bool:
        """Whether this word is the first of its line."""
        return position == 0 or position in self._lines

    def is_yes(self, position: int) -> bool:
        """Whether this word is an accented 'sí', an answer: its norm is that of 'if'."""
        return self.norms[position] == "si" and self.doc[self.tokens[position]].text[-1:] in "íÍ"

    def is_capital(self, position: int) -> bool:
        """Whether this word is one or two capitals, as a day or a meal in a list: 'L 78,4'."""
        norm = self.at(position)
        if not norm.isalpha() or len(norm) > 2:
            return False
        return self.doc[self.tokens[position]].text[:1].isupper()

    def is_adjacent(self, position: int) -> bool:
        """Whether no white space separates this word from the one before."""
        if not 0 < position < self.size:
            return False
        before = self.last_token(position - 1)
        return before + 1 == self.tokens[position] and not self.doc[before].whitespace_

    def last_token(self, position: int) -> int:
        """Return the last token of a word: most words are one token."""
        first = self.tokens[position]
        return self._last.get(first, first)

    def blank_before(self, position: int) -> str:
        """Return the white space between this word and the one before; empty where none."""
        if not 0 < position < self.size:
            return ""
        before, token = self.last_token(position - 1), self.tokens[position]
        between = (self.doc[index].text_with_ws for index in range(before + 1, token))
        return self.doc[before].whitespace_ + "".join(between)

    def before(self, position: int, count: int) -> list[str]:
        """Return at most ``count`` words of the sentence before this one, nearest first."""
        words: list[str] = []
        while position > 0 and len(words) < count:
            if self.is_border(position):
                break
            position -= 1
            norm = self.norms[position]
            if norm in _ENDS or (norm == "si" and self.is_yes(position)):
                break
            words.append(norm)
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
        start, last = self.tokens[first], self.last_token(end - 1)
        if start == last:
            token = self.doc[start]
            return token.idx, token.text
        span = self.doc[start : last + 1]
        return span.start_char, span.text

    def offsets(self, first: int, end: int) -> tuple[int, int]:
        """Return where the words ``first`` to ``end`` (exclusive) start and end in the text."""
        last = self.doc[self.last_token(end - 1)]
        return self.doc[self.tokens[first]].idx, last.idx + len(last)

    @cached_property
    def numbers(self) -> list[int]:
        """The places of the words that begin with a digit."""
        digits = self._digits
        return [position for position, norm in enumerate(self.norms) if norm in digits]

    def may_hold_date(self, months: frozenset[str]) -> bool:
        """Whether the note has what looks like a date; cheap, for notes that have none."""
        if not months.isdisjoint(self.norms):
            return True
        for position in self.numbers:
            norm = self.norms[position]
            if len(norm) == 4 and norm[:2] in ("19", "20"):
                return True
            if len(norm) < 3 and self.at(position + 1) in _DATE_SIGNS:
                following = self.at(position + 2)
                if len(following) != 3 and following.isdigit():
                    return True
            elif norm.count(".") == 2:
                return True
        return False

    @cached_property
    def text(self) -> str:
        """The note."""
        return text_of(self.doc)
