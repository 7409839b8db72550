"""Recognises misspelt and truncated words of the lexicon.

Only long words are corrected: an abbreviation one letter away is another abbreviation. A
word form that is itself a Spanish word (``real_words.txt``) is never corrected.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rapidfuzz.distance import OSA

#: Shortest word that may lack a letter or have two swapped; that may have one changed or
#: one too many; that may have two errors. Verbs have so many forms that one error leads from
#: a real word to another: only long forms of them are corrected.
_LACKING, _CHANGED, _TWO_ERRORS, _VERB = 5, 7, 11, 8
#: Shortest truncated word. Spanish words hardly ever end in the consonants of _HARD, so a
#: shorter form that does counts as truncated ("arritm", "palp").
_TRUNCATED, _TRUNCATED_HARD = 7, 4
_HARD = frozenset("bcfgkmpqtvx")
_VOWELS = frozenset("aeiou")

_SOUNDS = (
    ("ch", "č"), ("ph", "f"), ("h", ""), ("v", "b"), ("ll", "y"), ("qu", "k"), ("gue", "ge"),
    ("gui", "gi"), ("ge", "je"), ("gi", "ji"), ("ce", "ze"), ("ci", "zi"), ("c", "k"), ("x", "s"),
    ("z", "s"),
)  # fmt: skip
_DOUBLED = re.compile(r"(.)\1+")


def phonetic_form(word: str) -> str:
    """Spell a word by its sound, so that b/v, mute h or s/z make no difference."""
    for letters, phonetic in _SOUNDS:
        word = word.replace(letters, phonetic)
    return _DOUBLED.sub(r"\1", word)


def _letters(form: str) -> list[str]:
    """Return its letters, the second of a kind as another: *edema* has e, d, ee, m and a."""
    return [letter * form.count(letter, 0, place) for place, letter in enumerate(form, 1)]


class _LetterIndex:
    """For each letter the forms that hold it, as bit sets.

    A set of forms is an integer whose bit *n* is set where form *n* is in it: filtering
    hundreds of forms by a letter is one operation on two integers.
    """

    def __init__(self, forms: Sequence[str]) -> None:
        self._holding: dict[str, int] = {}
        for number, form in enumerate(forms):
            for letter in _letters(form):
                self._holding[letter] = self._holding.get(letter, 0) | 1 << number

    def lacking(self, form: str, most: int, among: int) -> int:
        """Return the members of ``among`` that lack at most 0, 1 or 2 (``most``) letters."""
        none = one = two = among
        for letter in _letters(form):
            holding = self._holding.get(letter, 0)
            two = two & holding | one
            one = one & holding | none
            none &= holding
        return (none, one, two)[most]


class _Bucket:
    """Words whose phonetic forms share the first letter."""

    def __init__(self, words: Sequence[str], phonetic: Sequence[str]) -> None:
        self._words, self._phonetic = words, phonetic
        self._by_letter, self._by_sound = _LetterIndex(words), _LetterIndex(phonetic)
        self._of_length: dict[int, int] = {}
        for number, word in enumerate(words):
            self._of_length[len(word)] = self._of_length.get(len(word), 0) | 1 << number

    def near(self, word: str, phonetic: str, most: int) -> Iterator[tuple[int, str]]:
        """Yield (distance, word) for the words within ``most`` errors.

        One error takes at most one letter away and changes the length by at most one.
        """
        among = 0
        for length in range(len(word) - most, len(word) + most + 1):
            among |= self._of_length.get(length, 0)
        left = self._by_letter.lacking(word, most, among)
        left |= self._by_sound.lacking(phonetic, most, among)
        while left:
            lowest = left & -left
            left ^= lowest
            number = lowest.bit_length() - 1
            other = self._words[number]
            distance = min(
                OSA.distance(word, other), OSA.distance(phonetic, self._phonetic[number])
            )
            if distance <= most:
                yield distance, other


class Speller:
    """Finds the lexicon's words that a form may be a misspelling or truncation of.

    Parameters
    ----------
    words
        Normalised word to its symbol.
    real
        Words never to be corrected.
    """

    def __init__(self, words: Mapping[str, str], real: Iterable[str]) -> None:
        self._real = frozenset(real)
        spelt: dict[str, str] = {}
        for word, symbol in words.items():
            shortest = _VERB if symbol.startswith("v:") else _LACKING
            if len(word) >= shortest and word.isalpha():
                spelt.setdefault(word, symbol)
                if symbol.startswith("s:"):
                    spelt.setdefault(word + ("s" if word[-1] in _VOWELS else "es"), symbol)
        self._sorted = sorted(words)
        self._symbols = dict(words)
        # Errors seldom hit the first letter: candidates are the words that sound alike there.
        buckets: dict[str, tuple[list[str], list[str]]] = {}
        for word in sorted(spelt):
            phonetic = phonetic_form(word)
            written, spoken = buckets.setdefault(phonetic[:1], ([], []))
            written.append(word)
            spoken.append(phonetic)
        self._buckets = {first: _Bucket(*forms) for first, forms in buckets.items()}
        self._spelt = spelt

    def is_real(self, word: str) -> bool:
        """True for a word that is never to be corrected."""
        return word in self._real

    def corrections(self, word: str) -> frozenset[str]:
        """Return the symbols of the nearest words within one error (two in a long word).

        An error is a letter dropped, added, changed, or two swapped (optimal string
        alignment); letters that sound alike are the same.
        """
        if len(word) < _LACKING or word in self._real:
            return frozenset()
        if word in self._spelt:
            return frozenset((self._spelt[word],))
        phonetic = phonetic_form(word)
        bucket = self._buckets.get(phonetic[:1])
        if bucket is None:
            return frozenset()
        nearest = most = 2 if len(word) >= _TWO_ERRORS else 1
        found: set[str] = set()
        for distance, other in bucket.near(word, phonetic, most):
            if distance and len(word) < _CHANGED and not _lacks(word, other):
                continue
            if distance < nearest:
                nearest, found = distance, set()
            if distance == nearest:
                found.add(self._spelt[other])
        return frozenset(found)

    def completions(self, word: str) -> frozenset[str]:
        """Return the symbols of the words that a form truncates ("arritm", "clortalid")."""
        last = word[-1:]
        shortest = _TRUNCATED_HARD if last in _HARD else _TRUNCATED
        if word in self._real or len(word) < shortest or last in _VOWELS:
            return frozenset()
        found: set[str] = set()
        for index in range(bisect_left(self._sorted, word), len(self._sorted)):
            other = self._sorted[index]
            if not other.startswith(word):
                break
            if len(other) >= len(word) + 2:
                found.add(self._symbols[other])
        return frozenset(found)


def _lacks(word: str, other: str) -> bool:
    """True where a word is another with one letter less, or two neighbours swapped."""
    if len(word) + 1 == len(other):
        return any(other[:i] + other[i + 1 :] == word for i in range(len(other)))
    return len(word) == len(other) and sorted(word) == sorted(other)
