"""Numbers as notes write them: decimal commas, thousands points, apostrophes, words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.spanish import DigitsRead, read_digits

_PLAIN = re.compile(r"\d+(?:[.,]\d+)*$")
_DIGITS_OF_A_THOUSAND = 3
_APOSTROPHES = frozenset({"'", "’", "´", "`"})


class Number(NamedTuple):
    """A number in a text.

    Parameters
    ----------
    first, end
        The words of the number, ``end`` exclusive.
    decimal
        Its value if its last sign is a decimal one; ``None`` where it cannot be.
    grouped
        Its value if its signs separate thousands; ``None`` where they cannot.
    comma
        Whether its one sign is a comma.
    """

    first: int
    end: int
    decimal: float | None
    grouped: float | None = None
    comma: bool = False

    @property
    def whole(self) -> int | None:
        """The number, where it is a plain integer."""
        if self.grouped is None and self.decimal is not None and self.decimal.is_integer():
            return int(self.decimal)
        return None

    def values(self, *, whole_expected: bool) -> tuple[float, ...]:
        """Return its possible values, the most likely first."""
        read = DigitsRead(self.decimal, self.grouped, self.comma)
        return read.values(whole_expected=whole_expected)


class NumberReader:
    """Reads numbers in digits and in words.

    Parameters
    ----------
    rules
        ``[numbers]`` of ``measurements.toml``: numbers in words.
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self._units: dict[str, int] = dict(rules["units"])
        self._below_thirty: dict[str, int] = {**rules["units"], **rules["teens"]}
        self._tens: dict[str, int] = dict(rules["tens"])
        self._hundreds: dict[str, int] = dict(rules["hundreds"])
        self._thousands = frozenset(rules["thousands"])
        self._and = frozenset(rules["and"])
        self._point = frozenset(rules["point"])
        self._scalar_point = self._point | frozenset(rules["scalar_point"])
        self._half = frozenset(rules["half"])
        self.words = frozenset(
            {*self._below_thirty, *self._tens, *self._hundreds, *self._thousands}
        )

    def digits(self, words: Words, position: int) -> Number | None:
        """Return the number in digits at ``position``."""
        norm = words.at(position)
        plain = norm.isdigit()
        if not plain and (not norm[:1].isdigit() or not _PLAIN.match(norm)):
            return None
        if plain:
            sign = words.at(position + 1)
            if sign in _APOSTROPHES:  # 36'5, and 1'250
                adjacent = words.is_adjacent(position + 1) and words.is_adjacent(position + 2)
                if adjacent and words.at(position + 2).isdigit():
                    return _with_comma(words, position)
            elif sign == "," and self._is_split_decimal(words, position):  # 1 ,2
                return _with_comma(words, position)
        return Number(position, position + 1, float(norm)) if plain else _read(norm, position)

    @staticmethod
    def _is_split_decimal(words: Words, position: int) -> bool:
        """Whether a blank stands before the decimal comma instead of none: '1 ,2'."""
        decimals = words.at(position + 2)
        return (
            not words.is_adjacent(position + 1)
            and decimals.isdigit()
            and len(decimals) < _DIGITS_OF_A_THOUSAND
            and words.is_adjacent(position + 2)
        )

    def scalar(self, words: Words, position: int, *, decimals: bool) -> Number | None:
        """Return the number at ``position`` where no second number may follow it.

        Decimals may then be in words (``1 coma 4``, ``treinta y ocho y medio``); where
        ``decimals`` are likely, also as ``treinta y seis con ocho``.
        """
        in_words = False
        number = self.digits(words, position)
        if number is None:
            if words.at(position) not in self.words:
                return None
            number, in_words = self.in_words(words, position), True
        if number is None:
            return None
        if words.at(number.end) in self._thousands and not in_words:
            return self._thousands_in_words(words, number)
        if number.whole is None:
            return number
        sign, following = words.at(number.end), words.at(number.end + 1)
        if sign in self._and and following in self._half:
            return Number(position, number.end + 2, number.whole + 0.5)
        if sign in (self._scalar_point if in_words and decimals else self._point):
            rest = self.digits(words, number.end + 1) or self.in_words(words, number.end + 1)
            if rest is not None and rest.whole is not None:
                return Number(position, rest.end, float(f"{number.whole}.{rest.whole}"))
        return number

    def is_half(self, norm: str) -> bool:
        """Whether a word means one half: 'y medio'."""
        return norm in self._half

    def _thousands_in_words(self, words: Words, number: Number) -> Number:
        """Return '5 mil', '2,3 mil', '2 mil 300'."""
        value, end = (number.decimal or 0.0) * 1000, number.end + 1
        rest = words.at(end)
        if number.whole is not None and rest.isdigit() and len(rest) == _DIGITS_OF_A_THOUSAND:
            return Number(number.first, end + 1, value + int(rest))
        return Number(number.first, end, value)

    def in_words(self, words: Words, position: int) -> Number | None:
        """Return the number in words at ``position``: ``ciento cuarenta y dos``."""
        start = position
        value, position = self._below_thousand(words, position)
        if words.at(position) in self._thousands:
            rest, after = self._below_thousand(words, position + 1)
            value, position = max(value, 1) * 1000 + max(rest, 0), after
        if position == start:
            return None
        return Number(start, position, float(value))

    def _below_thousand(self, words: Words, position: int) -> tuple[int, int]:
        """Return value and end of a number below a thousand; -1 where there is none."""
        value, start = 0, position
        if words.at(position) in self._hundreds:
            value += self._hundreds[words.at(position)]
            position += 1
        if words.at(position) in self._tens:
            value += self._tens[words.at(position)]
            position += 1
            if words.at(position) in self._and and words.at(position + 1) in self._units:
                value += self._units[words.at(position + 1)]
                position += 2
        elif words.at(position) in self._below_thirty:
            value += self._below_thirty[words.at(position)]
            position += 1
        return (value if position > start else -1), position


def _with_comma(words: Words, position: int) -> Number | None:
    """Return the number of three words, whatever sign stands for its comma."""
    number = _read(f"{words.at(position)},{words.at(position + 2)}", position)
    return None if number is None else number._replace(end=position + 3)


def _read(norm: str, position: int) -> Number | None:
    """Read digits with commas and points."""
    read = read_digits(norm)
    return None if read is None else Number(position, position + 1, *read)
