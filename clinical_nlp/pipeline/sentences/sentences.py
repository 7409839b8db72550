"""The component ``es_sentences``: sentences of clinical Spanish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from spacy.tokens import Doc

from clinical_nlp.pipeline.rules import RuleComponent, count_line_breaks, norms_of
from clinical_nlp.pipeline.sentences.items import item_starts

_STOPS = frozenset({".", "?", "!", ";", "..."})
_CLOSERS = frozenset({")", "]", "}", "»", "”", "’", '"', "'"})
_OPENING = frozenset('¿¡«“"')
_RULED = frozenset("-=*_#")
_LABEL_SIGNS = frozenset({"/", ".", "-"})
_DASHES = frozenset("-–—")
_LABEL_LENGTH = 6
_LOWER_LABEL_WORDS = 2
_LARGEST_ITEM = 30
_MIN_LETTERS = 3  # on both sides of the stop, for "disnea.No" to be two sentences


class SentenceSplitter(RuleComponent):
    r"""Sets ``token.is_sent_start`` on every token.

    A sentence ends at ``;``, at a full stop that closes no abbreviation, at ``?``, ``!``
    and dots where a new statement follows, at a blank line, before an item of a list,
    before a label (``EF:``) that opens a line, at a line break before a new statement, and
    where an item of the note's layout (``doc._.layout``) begins or ends.
    A line break in mid-sentence ends nothing, so that a note wrapped by its editor is split
    like the unwrapped one.

    The words that decide are in ``sentences.toml``.

    Examples
    --------
    >>> import spacy
    >>> from clinical_nlp.pipeline.assembly import build
    >>> doc = build()("No refiere\ndisnea. Tto. con furosemida.\nEF: TA 130/80")
    >>> [s.text.replace("\n", " ").strip() for s in doc.sents]
    ['No refiere disnea.', 'Tto. con furosemida.', 'EF: TA 130/80']
    """

    def compile_rules(self, rules: dict[str, Any]) -> None:
        """Turn the lists of words into sets."""
        self._never_final = frozenset(rules["abbreviations"]["never_final"])
        self._abbreviations = frozenset(rules["abbreviations"]["may_be_final"])
        self._cut_endings = frozenset(rules["abbreviations"]["cut_endings"])
        self._openers = frozenset(rules["openers"]["statement"])
        self._line_openers = frozenset(rules["openers"]["line"])
        self._continues = frozenset([*rules["continues"]["words"], *rules["continues"]["signs"]])
        self._answers = frozenset(rules["continues"]["answers"])
        self._bullets = frozenset(rules["bullets"]["signs"])
        self._short = int(rules["wrapping"]["short"])
        self._long = int(rules["wrapping"]["long"])

    def __call__(self, doc: Doc) -> Doc:
        """Mark the tokens of ``doc``."""
        if len(doc) == 0:
            return doc
        marks = np.full((len(doc), 1), -1, dtype=np.int64)
        marks[_DocSplitter(self, doc).starts(), 0] = 1
        marks[item_starts(doc), 0] = 1
        doc.from_array(["SENT_START"], marks.astype(np.uint64))  # type: ignore[arg-type]
        return doc


class _DocSplitter:
    """Splits one doc; holds what the decisions need."""

    def __init__(self, rules: SentenceSplitter, doc: Doc) -> None:
        self.rules = rules
        self.doc = doc
        self.norms = norms_of(doc)
        self.size = len(self.norms)
        self._longest_line: int | None = None

    def starts(self) -> list[int]:
        """Return the indices of the tokens that open a sentence."""
        norms, size = self.norms, self.size
        starts, after = [0], 0
        for position in [i for i, norm in enumerate(norms) if norm in _STOPS or norm.isspace()]:
            stop = norms[position] in _STOPS
            if position < after or not (stop or position):
                continue  # skipped with the stop before it, or white space that opens the note
            after, lines = self._skip(position)
            if after == size:
                break
            if stop:
                begins = self._ends(position, after, lines, starts[-1])
            else:
                begins = lines > 0 and self._line_begins(position - 1, after, lines, starts[-1])
            if begins:
                starts.append(after)
        return starts

    def _skip(self, position: int) -> tuple[int, int]:
        """Return the first token after stops, closers and white space; count line breaks."""
        norms, size, lines = self.norms, self.size, 0
        if not norms[position].isspace():
            position += 1
            while position < size and (
                norms[position] in _STOPS
                or (norms[position] in _CLOSERS and self._adjacent(position))
            ):
                position += 1
        while position < size and norms[position].isspace():
            lines += count_line_breaks(norms[position])
            position += 1
        return position, lines

    def _adjacent(self, position: int) -> bool:
        before = self.doc[position - 1]
        return not before.whitespace_ and not self.norms[position - 1].isspace()

    def _ends(self, stop: int, after: int, lines: int, start: int) -> bool:
        """Whether the stop at ``stop`` ends the sentence, ``after`` being the next word."""
        norms, rules = self.norms, self.rules
        sign = norms[stop]
        if sign == ";" or lines > 1:
            return True
        if sign != "." or norms[stop + 1] == ".":
            return lines > 0 or self._opens(after, in_lower_case=False)
        if stop == 0:
            return False
        before = norms[stop - 1]
        if after == stop + 1 and self._adjacent(after):  # "disnea.No edemas"
            letters = min(len(before), len(norms[after]))
            return before.isalpha() and letters >= _MIN_LETTERS and self.doc[after].text.istitle()
        if not self._adjacent(stop):
            return True
        if before.isdigit() and stop - 1 == start and int(before) <= _LARGEST_ITEM:
            return False  # "1. Furosemida"
        initial = len(before) == 1 and before.isalpha()
        opens_with_it = stop - 1 == start or norms[stop - 2] in _STOPS
        if before in rules._never_final or (initial and opens_with_it):
            # "Dr. J. Perez", "T. adaptativo", but "I.C.C. Refiere"
            dotted = initial and stop >= 3 and len(norms[stop - 3]) == 1
            return (lines > 0 and self._item(after)) or (dotted and self._opens(after))
        if initial or before in rules._abbreviations or self._cut_short(stop - 1):
            # 'Tto. habitual: ...': an abbreviation alone is no sentence
            return stop - 1 > start and self._opens(after)
        return True

    def _cut_short(self, position: int) -> bool:
        """Whether the word ends as no Spanish word does, so that it is cut short."""
        text = self.doc[position].text
        return text.isalpha() and text[-1] in self.rules._cut_endings and not text.isupper()

    def _opens(self, after: int, *, in_lower_case: bool = True) -> bool:
        """Whether the word at ``after`` can open a sentence."""
        text = self.doc[after].text
        capital = text[0].isupper()
        if self.norms[after] in self.rules._openers and (in_lower_case or capital):
            return True
        if capital and (text.istitle() or self._follows_mixed_case(after)):
            return True
        return text[0] in _OPENING or self._item(after)

    def _follows_mixed_case(self, after: int) -> bool:
        """Whether the words before are not in capitals, so that a capital is informative."""
        for position in range(after - 1, max(-1, after - 6), -1):
            text = self.doc[position].text
            if text.isalpha() and len(text) > 1:
                return not text.isupper()
        return False

    def _item(self, after: int) -> bool:
        """Whether an item of a list or a label begins at ``after``."""
        return self._bullet(after) or self._label(after)

    def _bullet(self, after: int) -> bool:
        norms = self.norms
        if after + 1 >= self.size:
            return False
        norm, following = norms[after], norms[after + 1]
        if following == norm and norm in _RULED:
            return True  # '--- 19/04/24'
        if norm in self.rules._bullets:
            if norm == "[":
                return True
            return following.isalpha() or (following[0].isdigit() and not self._adjacent(after + 1))
        numbered = norm.isdigit() and int(norm) <= _LARGEST_ITEM
        return (numbered or len(norm) == 1) and following == ")" and norm.isalnum()

    def _next_number(self, start: int, after: int) -> bool:
        """Whether a numbered list continues: '1. Furosemida', '2. Bisoprolol'."""
        norms = self.norms
        if after + 1 >= self.size or norms[after + 1] != "." or not norms[after].isdigit():
            return False
        return norms[start].isdigit() and int(norms[after]) == int(norms[start]) + 1

    def _label(self, after: int) -> bool:
        """Whether a few words and a colon begin at ``after``: ``EF:``, ``25/10:``."""
        words = 0
        for position in range(after, min(self.size, after + _LABEL_LENGTH)):
            norm = self.norms[position]
            if norm == ":":
                if not words:
                    return False
                first = self.doc[after].text[0]
                return not first.islower() or words <= _LOWER_LABEL_WORDS
            if norm.isalnum():
                words += 1
            elif norm not in _LABEL_SIGNS:
                return False
        return False

    def _line_begins(self, before: int, after: int, lines: int, start: int) -> bool:
        """Whether a new sentence begins with the line at ``after``; the last began at ``start``."""
        norms, rules = self.norms, self.rules
        if lines > 1 or self._bullet(after) or self._next_number(start, after):
            return True
        labelled = self._label(after)
        if labelled and norms[before] in rules._answers and self.doc[after].text[0].isupper():
            return True  # "Soplo: NO\nRitmo: sinusal": each line of a form is a statement
        if labelled and self._empty_label(before):
            return True  # "AF:\nAP: HTA": nothing stands under the first
        if norms[before] in rules._continues:
            return False
        if labelled:
            return True
        text = self.doc[after].text
        if text[0].isupper():
            return not self._wrapped(before, after)
        if norms[after] in rules._line_openers:
            following = norms[after + 1] if after + 1 < self.size else "."
            return following.isalnum()  # "Fiebre\nno." is one statement
        return text[0] in _OPENING

    def _empty_label(self, before: int) -> bool:
        """Whether a line ends in a label's colon, or in a dash after it."""
        norms = self.norms
        return norms[before] == ":" or (norms[before] in _DASHES and norms[before - 1] == ":")

    def _wrapped(self, before: int, after: int) -> bool:
        """Whether an editor, not the writer, broke the line before ``after``."""
        doc, norms = self.doc, self.norms
        start = before
        while start > 0 and not count_line_breaks(norms[start - 1]):
            start -= 1
        line = doc[before].idx + len(doc[before]) - doc[start].idx
        if not self.rules._short <= line <= self.rules._long:
            return False
        if self._longest_line is None:
            self._longest_line = _longest_line(doc, norms)
        longest = self._longest_line
        return longest <= self.rules._long and line + 1 + len(doc[after]) > longest


def _longest_line(doc: Doc, norms: Sequence[str]) -> int:
    longest = start = 0
    for position, norm in enumerate(norms):
        if count_line_breaks(norm):
            token = doc[position]
            longest = max(longest, token.idx - start)
            start = token.idx + len(token)
    return max(longest, doc[-1].idx + len(doc[-1]) - start)
