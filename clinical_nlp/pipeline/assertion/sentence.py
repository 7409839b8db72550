"""A note as the engine takes it: sentences of normalised words with their targets.

The ``Doc`` is read as arrays, once: its tokens one by one would be slow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from spacy.attrs import IDX, LOWER
from spacy.tokens import Doc

from clinical_nlp.matching.cues import TARGET, cue_word
from clinical_nlp.matching.recent import RecentWords
from clinical_nlp.pipeline.assertion.graph import Target

_FULL_STOPS = frozenset(".?!")
_BULLETS = frozenset("-*•·–—▪►")
_QUOTES = frozenset("\"'“”«»’‘-–—")
_APOSTROPHES = frozenset("'’")
_FOLLOWING_TOKENS = 16
_ANSWER_TOKENS, _ANSWER_WORDS = 8, 3
_HEADING_WORDS = 12  # of a heading, put before each item of its list


class Sentence(NamedTuple):
    """Words of a sentence without white space, and its targets in order of place.

    ``targets`` count places in ``words``; ``Target.index`` is the place in the caller's
    list. ``words`` has :data:`~clinical_nlp.matching.cues.TARGET` for each
    word of a target. ``answer`` holds the first words after a question, quotation marks
    left out, and ``following`` returns the first words of the sentence after.
    ``first`` is the sentence's first token in the doc; ``before`` has for each of the doc's tokens
    the number of words before it, ``offset`` those before the first of ``words``.
    """

    words: Sequence[str]
    targets: Sequence[Target]
    answer: Sequence[str] = ()
    following: Callable[[], Sequence[str]] = tuple
    first: int = 0
    offset: int = 0
    before: Sequence[int] = ()

    def tokens(self, start: int, end: int) -> tuple[int, int]:
        """Tokens of the doc (end exclusive) of words ``start`` to ``end``; may be empty."""
        at = bisect_left(self.before, start + self.offset + 1, self.first) - 1
        begin = max(self.first, at)
        return begin, max(begin, bisect_left(self.before, end + self.offset, self.first))


class NoteSentences:
    """The words and sentences of a ``Doc`` as plain lists.

    Parameters
    ----------
    doc
        The note. Without sentence annotation, full stops and line breaks end a sentence.
    cache
        Words by their hash in the string store; filled with new ones.
    """

    def __init__(self, doc: Doc, cache: RecentWords[int, str]) -> None:
        columns = doc.to_array([LOWER, IDX])
        keys: list[int] = columns[:, 0].tolist() if len(doc) else []

        def word(key: int) -> str:
            lower = doc.vocab.strings[key]
            # An apostrophe is as good as a blank: 'no s'ha descartat', 'per l'ofec'.
            return "" if lower.isspace() or lower in _APOSTROPHES else cue_word(lower)

        words = cache.of(keys, word)
        #: The normalised word of every token, empty for white space.
        self.words = [words[key] for key in keys]
        #: The words alone, and for each token and the end the number of words before it.
        self._filled = list(filter(None, self.words))
        self._places = list(accumulate(map(bool, self.words), initial=0))
        self._first_characters = columns[:, 1] if len(doc) else np.zeros(0, dtype="uint64")
        self.bounds = self._sentence_bounds(doc)

    def token_spans(self, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the tokens that spans of code points touch (start, end exclusive)."""
        starts = np.array([s for s, _ in spans], dtype=self._first_characters.dtype)
        ends = np.array([e for _, e in spans], dtype=self._first_characters.dtype)
        first = np.searchsorted(self._first_characters, starts, side="right") - 1
        last = np.searchsorted(self._first_characters, ends, side="left")
        return [(a, max(a + 1, b)) for a, b in zip(first.tolist(), last.tolist(), strict=True)]

    def sentences(
        self, spans: Sequence[tuple[int, int]], kinds: Sequence[str]
    ) -> Iterator[Sentence]:
        """Yield the sentences that hold targets.

        Parameters
        ----------
        spans
            Targets as token places (start, end exclusive), any order.
        kinds
            Their kinds.

        Notes
        -----
        The heading of a bulleted list is put before each item: *Acudir si:* holds for
        each line below.
        """
        order = sorted(range(len(spans)), key=lambda i: spans[i])
        bounds, place = self.bounds, self._places
        heads: dict[int, int] = {}
        sentence = at = 0
        while at < len(order):
            first = spans[order[at]][0]
            while bounds[sentence + 1] <= first:
                sentence += 1
            low, high = bounds[sentence], bounds[sentence + 1]
            words = self._list_heading(sentence, heads)
            first_place = place[low] - len(words)
            words.extend(self._filled[place[low] : place[high]])
            targets = []
            while at < len(order) and spans[order[at]][0] < high:
                index = order[at]
                start, end = spans[index]
                begin = place[start] - first_place
                stop = max(begin + 1, place[min(end, high)] - first_place)
                targets.append(Target(begin, stop, kinds[index], index))
                words[begin:stop] = [TARGET] * (stop - begin)
                at += 1
            after = partial(self._following, sentence + 1)
            yield Sentence(words, targets, self._answer(sentence), after, low, first_place, place)

    def _following(self, sentence: int) -> list[str]:
        """First words of a sentence; none behind the note's last one."""
        if sentence + 1 >= len(self.bounds):
            return []
        low, high = self.bounds[sentence], self.bounds[sentence + 1]
        return self._filled[self._places[low] : self._places[min(high, low + _FOLLOWING_TOKENS)]]

    def _answer(self, sentence: int) -> list[str]:
        """First words of what follows a question, without quotation marks and dashes."""
        low, high = self.bounds[sentence], self.bounds[sentence + 1]
        closing = [word for word in self.words[max(low, high - 4) : high] if word]
        if "?" not in closing:
            return []
        following = self.words[high : high + _ANSWER_TOKENS]
        return [word for word in following if word and word not in _QUOTES][:_ANSWER_WORDS]

    def _sentence_bounds(self, doc: Doc) -> list[int]:
        """First token of every sentence, and the doc's length at the end."""
        if doc.has_annotation("SENT_START"):
            starts: list[int] = np.flatnonzero(doc.to_array("SENT_START") == 1).tolist()
            return [0, *(i for i in starts if i), len(doc)]
        ends = (
            token.i + 1
            for token in doc[:-1]
            if token.text in _FULL_STOPS or (token.is_space and "\n" in token.text)
        )
        return [0, *ends, len(doc)]

    def _first_word(self, sentence: int) -> str:
        words = self.words[self.bounds[sentence] : self.bounds[sentence + 1]]
        # A blank line does not part a list from its heading.
        return next(filter(None, words), "-")

    def _list_heading(self, sentence: int, heads: dict[int, int]) -> list[str]:
        """The last words of the heading above a list item, without its colon; else nothing."""
        walked = []
        head = sentence
        while head not in heads and head and self._first_word(head) in _BULLETS:
            walked.append(head)
            head -= 1
        head = heads.get(head, head)
        for item in walked:
            heads[item] = head
        if head == sentence:
            return []
        words = [w for w in self.words[self.bounds[head] : self.bounds[head + 1]] if w]
        return words[-_HEADING_WORDS - 1 : -1] if words and words[-1] == ":" else []
