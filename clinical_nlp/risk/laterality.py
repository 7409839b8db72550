"""Whether a note's swollen legs are one leg, or a thrombosed one (``laterality.toml``).

By the words of the clause, and of the note: an aid to the Framingham criteria, which ask for
both ankles. What a note does not say is taken as both.
"""

from __future__ import annotations

import re
from functools import cache

from clinical_nlp.artifacts import read_toml

_CLAUSE_END = re.compile(r"[.;,\n]")
_SENTENCE_END = re.compile(r"[.;\n]")


def one_sided(text: str, start: int, end: int, concept: str) -> bool:
    """Return whether a note says that a sign is on one side only.

    Parameters
    ----------
    text
        The note.
    start, end
        Span of the sign in it.
    concept
        Key of its catalogue concept; others than swelling are never one-sided.
    """
    if concept not in _swelling():
        return False
    clause = _around(text, start, end)
    if _says("both", clause):
        return False
    if _says("one", clause) or _says("left", clause) != _says("right", clause):
        return True
    return _is_thrombosed(text) and not _says("legs", clause)


def _is_thrombosed(text: str) -> bool:
    return any(
        _says("thrombosis", sentence) and not _says("denial", sentence)
        for sentence in _SENTENCE_END.split(text)
    )


def _around(text: str, start: int, end: int) -> str:
    """The clause that holds a span."""
    before = max((m.end() for m in _CLAUSE_END.finditer(text, 0, start)), default=0)
    after = _CLAUSE_END.search(text, end)
    return text[before : after.start() if after else len(text)]


def _says(kind: str, text: str) -> bool:
    return _patterns()[kind].search(text) is not None


@cache
def _swelling() -> frozenset[str]:
    return frozenset(read_toml("clinical_nlp.risk", "laterality.toml")["concepts"])


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    data = read_toml("clinical_nlp.risk", "laterality.toml")
    return {
        kind: re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)
        for kind, words in data.items()
        if kind != "concepts"
    }
