"""Look up phrases of several words in a note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

import spacy

from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.pipeline.tokenizer import ClinicalTokenizer

T = TypeVar("T")


@lru_cache(maxsize=1)
def _tokenizer() -> ClinicalTokenizer:
    return ClinicalTokenizer(spacy.blank("es").vocab)


def phrase_norms(text: str) -> tuple[str, ...]:
    """Return the norms of the words of ``text``, tokenised as the pipeline does."""
    return tuple(token.norm_ for token in _tokenizer()(text) if not token.is_space)


class PhraseIndex(Generic[T]):
    """A prefix tree of phrases; finds the longest one at a position."""

    def __init__(self) -> None:
        self._next: dict[str, PhraseIndex[T]] = {}
        self._values: list[T] = []

    @property
    def first_words(self) -> Mapping[str, object]:
        """The first words of the phrases."""
        return self._next

    def add(self, words: Sequence[str], value: T) -> None:
        """Add a phrase; one phrase may have several values."""
        if not words:
            raise ValueError("a phrase without words")
        node = self
        for word in words:
            node = node._next.setdefault(word, PhraseIndex())
        node._values.append(value)

    def at(self, words: Words, position: int) -> tuple[int, Sequence[T]]:
        """Return length and values of the longest phrase at ``position``; 0 where there is none."""
        node = self._next.get(words.at(position))
        if node is None:  # nearly always
            return 0, ()
        length, depth = 0, 1
        values: Sequence[T] = ()
        while node is not None:
            if node._values:
                length, values = depth, node._values
            node, depth = node._next.get(words.at(position + depth)), depth + 1
        return length, values
