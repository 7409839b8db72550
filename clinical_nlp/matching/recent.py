"""A cache of words that forgets the ones not seen for long."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: Words in each half of a cache. Notes bring some ten new words each, without end; this many
#: hold those of thousands of notes.
MOST_WORDS = 50_000


class RecentWords(Generic[K, V]):
    """Values by word, in two halves, of which the older is dropped when the younger is full.

    Words that come again move to the younger half, so that frequent ones are never computed
    again; memory is bounded by twice ``most`` and the words of one note.

    Parameters
    ----------
    most
        Words in a half.
    """

    def __init__(self, most: int = MOST_WORDS) -> None:
        self._most = most
        self._younger: dict[K, V] = {}
        self._older: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._younger) + len(self._older)

    def of(self, words: Iterable[K], make: Callable[[K], V]) -> dict[K, V]:
        """Return a mapping that holds every one of the words; read it, do not keep it.

        Parameters
        ----------
        words
            The words of a note.
        make
            Gives the value of a word that is not known.
        """
        known = self._younger
        if len(known) > self._most:
            self._older, known = known, {}
            self._younger = known
        older = self._older
        for word in set(words).difference(known):
            known[word] = older[word] if word in older else make(word)
        return known
