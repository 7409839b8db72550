"""Digits that a scanner or a keyboard turned into letters: ``12O/8O``, ``l20/80``."""

from __future__ import annotations

from spacy.tokens import Doc

#: A note has misread digits only with one of these words.
LETTERS = frozenset({"o", "oo", "l"})
_THOUSAND = 3  # digits after a thousands point


def merge_misread(doc: Doc, norms: list[str]) -> dict[int, int]:
    """Write numbers with a letter for a digit as numbers, in place.

    A capital O after a digit is a zero, an l before digits is a one. A zero written as a small
    o is an ordinal, an l after a number means litres: those stay.

    Parameters
    ----------
    doc
        The note.
    norms
        Norms of its tokens; that of the first token of a number becomes the whole number.

    Returns
    -------
    dict
        Last token of each such number, by its first.
    """
    merged: dict[int, int] = {}
    taken = -1
    for index in [i for i, norm in enumerate(norms) if norm in LETTERS]:
        if index <= taken:
            continue
        read = _with_one if norms[index] == "l" else _with_zero
        first, last, number = read(doc, norms, index)
        if number and first > taken:
            norms[first], merged[first], taken = number, last, last
    return merged


def _joined(doc: Doc, index: int) -> bool:
    """Whether no white space separates a token from the one before."""
    return index > 0 and not doc[index - 1].whitespace_ and not doc[index - 1].is_space


def _with_zero(doc: Doc, norms: list[str], index: int) -> tuple[int, int, str]:
    """Return first token, last token and digits of '12O', '1O5'; no digits where it is none."""
    letters = doc[index].text
    before = norms[index - 1] if index else ""
    if letters.strip("O") or not before.isdigit() or not _joined(doc, index):
        return index, index, ""
    number, last = before + "0" * len(letters), index
    if last + 1 < len(norms) and norms[last + 1].isdigit() and _joined(doc, last + 1):
        number, last = number + norms[last + 1], last + 1
    return index - 1, last, number


def _with_one(doc: Doc, norms: list[str], index: int) -> tuple[int, int, str]:
    """Return first token, last token and digits of 'l20', 'l.250'; no digits otherwise."""
    following = index + 1
    if doc[index].text != "l" or following >= len(norms) or not _joined(doc, following):
        return index, index, ""
    if _joined(doc, index) and norms[index - 1].isalnum():
        return index, index, ""
    if norms[following].isdigit():
        last, number = following, "1" + norms[following]
        if last + 1 < len(norms) and doc[last + 1].text == "O" and _joined(doc, last + 1):
            last, number = last + 1, number + "0"
        return index, last, number
    after = following + 1
    if (
        norms[following] == "."
        and after < len(norms)
        and norms[after].isdigit()
        and len(norms[after]) == _THOUSAND
        and _joined(doc, after)
    ):
        return index, after, f"1.{norms[after]}"
    return index, index, ""
