"""Vital signs without names, in their usual order: '148/82, 76, 96%', '148/82/76'."""

from __future__ import annotations

from clinical_nlp.pipeline.measurements.measurement_rules import DIASTOLIC
from clinical_nlp.pipeline.measurements.numbers import Number
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity, QuantityReader
from clinical_nlp.pipeline.measurements.text import Words

_VITALS_BEFORE_SATURATION = frozenset(
    {"heart_rate", "diastolic_bp", "respiratory_rate", "body_temperature"}
)
_VITALS_BEFORE_TEMPERATURE = frozenset(
    {"heart_rate", "diastolic_bp", "respiratory_rate", "oxygen_saturation"}
)
_TEMPERATURE_RANGE = (35, 41)  # degrees Celsius
_ORDER_SIGNS = frozenset({"", ",", ";", "-", "/"})
_ORDER_ENDS = frozenset({"", ",", ";", "."})
_SATURATION_RANGE = (70, 100)  # %
_HEART_RATE_RANGE = (40, 170)  # per minute


class UsualOrder:
    """Reads the number after a vital sign by its place."""

    def __init__(self, reader: QuantityReader) -> None:
        self._reader = reader

    def at(self, words: Words, position: int, last: Quantity) -> list[Quantity]:
        """Read vital signs in their usual order: '148/82, 76, 96%', '148/82/76'."""
        number = self._reader.number(words, position)
        if number is None:
            return []
        gap = words.at(position - 1) if position > last.after else ""
        following = words.at(number.end)
        percent = following == "%"
        percent_next = words.at(number.end + 1).isdigit() and words.at(number.end + 2) == "%"
        if percent and last.concept in _VITALS_BEFORE_SATURATION and gap in _ORDER_SIGNS:
            key, low, high = "oxygen_saturation", *_SATURATION_RANGE
        elif last.concept == DIASTOLIC and (
            gap == "/"
            or (gap == "(" and following == ")")
            or gap in ("p", "p.")
            or (gap in ("", "-") and self._ends_here(words, number.end))
            or (gap == "," and following == "," and percent_next)
        ):
            key, low, high = "heart_rate", *_HEART_RATE_RANGE
        else:
            return self._temperature(words, number, last, gap)
        value = number.whole
        if value is None or not low <= value <= high:
            return []
        return [Quantity(key, float(value), number.first, number.end, number.end + percent)]

    @staticmethod
    def _ends_here(words: Words, position: int) -> bool:
        """Whether a reading ends here: a sign, the line, or the label of the next one."""
        if words.at(position) in _ORDER_ENDS or words.starts_line(position):
            return True
        return words.is_capital(position) and words.at(position + 1)[:1].isdigit()

    def _temperature(
        self, words: Words, number: Number, last: Quantity, gap: str
    ) -> list[Quantity]:
        """Read a temperature among vital signs by its decimals: 'Sat 97%, 36,7'."""
        if last.concept not in _VITALS_BEFORE_TEMPERATURE or gap not in _ORDER_SIGNS:
            return []
        written = words.at(number.first)
        value, following = number.decimal, words.at(number.end)
        if value is None or written.isdigit() or following not in _ORDER_ENDS | {")"}:
            return []
        low, high = _TEMPERATURE_RANGE
        if not low <= value <= high:
            return []
        return [Quantity("body_temperature", value, number.first, number.end, number.end)]
