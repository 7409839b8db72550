"""The value of a number that the reader takes for a measurement.

Names, units and layouts are the rules' matter (``hf_measurements``). The reader finds numbers
whose name stands elsewhere or nowhere ("FC 112, al rato 88"): they are read here as plain
numbers, and only where the value is one that the measurement can have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_NUMBER = r"[0-9]{1,3}(?:[.\u0020\u00a0\u202f][0-9]{3})+(?:,[0-9]+)?|[0-9]+(?:[.,][0-9]+)?"
_ONE = re.compile(_NUMBER)
_RANGE = re.compile(rf"({_NUMBER})\s?(?:-|–|a|y)\s?({_NUMBER})")

#: Pressures below this are in centimetres of mercury ("12/7").
_CENTIMETRES = 30.0
_THOUSANDS = re.compile(r"\d{1,3}(?:[.\s]\d{3})+(?:,\d+)?")
_PRESSURES = frozenset(("systolic_bp", "diastolic_bp"))


@dataclass(frozen=True, slots=True)
class Measure:
    """What a measurement may be: UCUM unit, and plausible values in it."""

    unit: str | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Value:
    """A value, and its bounds where it is a range."""

    value: float
    low: float | None = None
    high: float | None = None


def read_value(text: str, concept: str, measures: Mapping[str, Measure]) -> Value | None:
    """Read the words of a measurement; ``None`` where they are no plausible value of it."""
    measure = measures.get(concept)
    if measure is None:
        return None
    if _ONE.fullmatch(text):
        value = _plausible(text, concept, measure)
        return None if value is None else Value(value)
    ends = _RANGE.fullmatch(text)
    if ends is None:
        return None
    low, high = (_plausible(end, concept, measure) for end in ends.groups())
    if low is None or high is None or low >= high:
        return None
    return Value((low + high) / 2, low, high)


def _plausible(text: str, concept: str, measure: Measure) -> float | None:
    """The first reading of a number that is a plausible value."""
    for value in _readings(text):
        if concept in _PRESSURES and value < _CENTIMETRES:
            value *= 10
        if measure.low <= value <= measure.high:
            return value
    return None


def _readings(text: str) -> Iterator[float]:
    """A number with a decimal comma or point, or with points or blanks between thousands."""
    plain = text.replace(",", ".")
    if plain.count(".") <= 1 and not re.search(r"\s", plain):
        yield float(plain)
    if _THOUSANDS.fullmatch(text):
        yield float(re.sub(r"[.\s]", "", text).replace(",", "."))
