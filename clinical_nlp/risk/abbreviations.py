"""Abbreviations that a note itself defines: "isquemia crónica (IC)", "IC (implante coclear)".

Writers define an abbreviation in brackets by words that begin with its letters. Where these words
are not of the heart, the abbreviation does not name heart failure anywhere in that note.
"""

from __future__ import annotations

import re

from clinical_nlp.matching.norms import normalise_word

#: Letters of an abbreviation at most.
_LONGEST = 5
#: Words between the letters that abbreviations pass over.
_SMALL = frozenset(
    ("de", "del", "la", "las", "los", "el", "y", "a", "al", "i", "e", "da", "do", "d")
)
_OF_THE_HEART = ("card", "corazon", "bihotz", "heart", "ventric")
_BEFORE = re.compile(r"((?:[^\W\d_]+[\s-]+){0,7}[^\W\d_]+)\s*\($")
_AFTER = re.compile(r"\s*[(=:]\s*((?:[^\W\d_]+[\s-]+){0,6}[^\W\d_]+)")


def is_defined_otherwise(text: str, start: int, end: int) -> bool:
    """Whether a note defines an abbreviation as something that is not of the heart.

    Parameters
    ----------
    text
        The note.
    start, end
        Place of the abbreviation; the definition may stand at another place of it.
    """
    letters = text[start:end]
    if not 2 <= len(letters) <= _LONGEST or not letters.isalpha() or not letters.isupper():
        return False
    return any(
        _defines(text, match.start(), match.end(), letters)
        for match in re.finditer(rf"\b{letters}\b", text)
    )


def _defines(text: str, start: int, end: int, letters: str) -> bool:
    before = _BEFORE.search(text[max(0, start - 90) : start])
    after = _AFTER.match(text[end : end + 90])
    if before is not None and text[end : end + 1] == ")":
        words = _content(before[1])
        if _spells(words[-len(letters) :], letters) or _is_one_word(words, letters):
            return not _is_of_the_heart(words[-len(letters) :])
    if after is not None:
        words = _content(after[1])
        if _spells(words[: len(letters)], letters):
            return not _is_of_the_heart(words[: len(letters)])
    return False


def _content(words: str) -> list[str]:
    norms = [normalise_word(word) for word in re.split(r"[\s-]+", words)]
    return [norm for norm in norms if norm and norm not in _SMALL]


def _spells(words: list[str], letters: str) -> bool:
    return len(words) == len(letters) and all(
        word.startswith(letter) for word, letter in zip(words, letters.lower(), strict=True)
    )


def _is_one_word(words: list[str], letters: str) -> bool:
    """One word that holds the letters in order: "interconsulta (IC)"."""
    if not words or not words[-1].startswith(letters[0].lower()):
        return False
    rest = iter(words[-1].replace("k", "c"))
    return len(words[-1]) > 8 and all(letter in rest for letter in letters.lower())


def _is_of_the_heart(words: list[str]) -> bool:
    return any(word == "cor" or word.startswith(_OF_THE_HEART) for word in words)
