"""Read blood pressures: two numbers, in millimetres or centimetres of mercury."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from clinical_nlp.pipeline.measurements.measurement_rules import DIASTOLIC, PRESSURE, SYSTOLIC
from clinical_nlp.pipeline.measurements.numbers import Number
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity, QuantityReader
from clinical_nlp.pipeline.measurements.text import DASHES, Words

_STROKES = frozenset({"/", "\\", "|"}) | DASHES
_MM_PER_CM = 10.0
_SERIES_GAP = 9  # words between two readings of a series
_MAX_UNKNOWN_WORDS = 2  # unknown words between two readings


class _Part(NamedTuple):
    """One of the two numbers, in mm Hg; a range where ``low`` and ``high`` are set."""

    value: float
    first: int
    end: int
    centimetres: bool
    low: float | None = None
    high: float | None = None


class PressureReading(NamedTuple):
    """Systolic and diastolic value of one reading."""

    systolic: Quantity
    diastolic: Quantity
    centimetres: bool

    @property
    def values(self) -> tuple[Quantity, Quantity]:
        """Both, in order."""
        return (self.systolic, self.diastolic)


class PressureReader:
    """Reads blood pressures: ``152/88``, ``14/8``, ``124-78``, ``138 84``, ``150-160/90``."""

    def __init__(self, reader: QuantityReader) -> None:
        rules = reader.rules
        self._rules = rules
        self._limits = rules.pressure
        self._reader = reader
        self._systolic = rules.measures[SYSTOLIC]
        self._diastolic = rules.measures[DIASTOLIC]
        self._temperature = rules.measures["body_temperature"]

    def pair(
        self, words: Words, position: int, *, named: bool, millimetres: bool = False
    ) -> PressureReading | None:
        """Read two numbers at ``position``.

        Parameters
        ----------
        named
            Whether a name of the blood pressure precedes them: without one, only a
            stroke or a dash joins them.
        millimetres
            Whether to refuse centimetres, which look like dates.
        """
        if not named and words.at(position + 1) not in _STROKES:
            return None
        systolic = self._part(words, position, systolic=True)
        if systolic is None:
            return None
        start = self._second_number_at(words, systolic.end, named=named)
        if start is None:
            return None
        diastolic = self._part(words, start, systolic=False)
        if diastolic is None or (diastolic.centimetres and not systolic.centimetres):
            return None
        if systolic.value - diastolic.value < self._limits.least_pulse_pressure:
            return None
        if systolic.centimetres and (millimetres or self._is_date(words, diastolic)):
            return None
        form, after = self._reader.unit(words, diastolic.end)
        if form not in self._diastolic.units:
            if form and form[0] in ("mg", "mcg", "ug", "g"):
                return None
            after = diastolic.end
        return PressureReading(
            _value(SYSTOLIC, systolic, start),
            _value(DIASTOLIC, diastolic, after),
            systolic.centimetres,
        )

    def is_usual(self, reading: PressureReading) -> bool:
        """Whether it cannot be two doses: '160/25' and '80/12,5' are tablets."""
        return self._limits.is_usual(reading.systolic.value, reading.diastolic.value)

    def single(self, words: Words, position: int) -> Quantity | int | None:
        """Read one number after the name of the pressure: the systolic one, or 'Tª 36,5'."""
        number = self._reader.number(words, position)
        if number is None:
            return None
        first, last = self._limits.temperature
        warm = number.decimal is not None and first <= number.decimal <= last
        measure = self._temperature if warm else self._systolic
        return self._reader.scalar(words, position, measure)

    def series(self, words: Words, first: PressureReading) -> Iterator[PressureReading]:
        """Yield the readings that follow ``first``: 'TA 150/90, 145/85 y de pie 130/80'."""
        position = first.diastolic.after
        gap = unknown = 0
        while position < words.size and gap < _SERIES_GAP and not words.is_border(position):
            norm = words.norms[position]
            if norm[0].isdigit():
                reading = self.pair(words, position, named=False, millimetres=not first.centimetres)
                if reading is not None and reading.centimetres == first.centimetres:
                    if unknown and not self.is_usual(reading):
                        return
                    yield reading
                    position, gap, unknown = reading.diastolic.after, 0, 0
                    continue
                position, gap = self._reader.skip_non_value(words, position), gap + 1
                if not position:
                    return
                continue
            if norm not in self._rules.series:
                # 'TA 170/100, tras captopril 150/90'
                unknown += 1
                if (
                    unknown > _MAX_UNKNOWN_WORDS
                    or not norm.isalpha()
                    or self._is_name(words, position)
                ):
                    return
            position, gap = position + 1, gap + 1

    def _is_name(self, words: Words, position: int) -> bool:
        """Whether another measurement's name stands here: not the 'alta' of 'al alta'."""
        names = self._rules.names.at(words, position)[1]
        return any(not name.near for name in names)

    def _second_number_at(self, words: Words, position: int, *, named: bool) -> int | None:
        position += words.at(position) in ("mmhg", "mm")
        sign = words.at(position)
        if sign in _STROKES or (named and sign in self._limits.joins):
            return position + 1
        if named and (sign[:1].isdigit() or sign in self._rules.numbers.words):
            return position
        return None

    def _part(self, words: Words, position: int, *, systolic: bool) -> _Part | None:
        number = self._reader.number(words, position)
        if number is None:
            return None
        value = self._millimetres(number, systolic=systolic)
        if value is None:
            return None
        dashed = words.at(number.end) in DASHES
        second = self._rules.numbers.digits(words, number.end + 1) if dashed else None
        upper = self._millimetres(second, systolic=systolic) if second is not None else None
        # '150-160/90' is a range of the systolic, '124-78' two pressures.
        if second is not None and upper is not None and upper[0] > value[0]:
            before_stroke = words.at(second.end) in _STROKES
            if before_stroke == systolic and upper[1] == value[1]:
                mean = (value[0] + upper[0]) / 2
                return _Part(mean, number.first, second.end, value[1], value[0], upper[0])
        return _Part(value[0], number.first, number.end, value[1])

    def _millimetres(self, number: Number, *, systolic: bool) -> tuple[float, bool] | None:
        """Return the number in mm Hg, and whether it was written in centimetres."""
        measure = self._systolic if systolic else self._diastolic
        limits = self._limits
        first, last = limits.centimetres_systolic if systolic else limits.centimetres_diastolic
        for reading in number.values(whole_expected=False):
            # An average has decimals: '132,4/78,6'.
            if measure.low <= reading <= measure.high and (reading.is_integer() or reading > last):
                return reading, False
            if first <= reading <= last:
                return round(reading * _MM_PER_CM, 1), True
        return None

    def _is_named(self, words: Words, position: int) -> bool:
        """Whether a name of the pressure and its two numbers stand here."""
        length, names = self._rules.names.at(words, position)
        if not any(name.concept == PRESSURE for name in names):
            return False
        position += length + (words.at(position + length) in (":", "."))
        return self.pair(words, position, named=False, millimetres=True) is not None

    def _is_date(self, words: Words, diastolic: _Part) -> bool:
        """Whether two small numbers are a day and a month: '14/07/23', '14/07: ...'."""
        following = words.at(diastolic.end)
        dashed = following == "-" and words.at(diastolic.end + 1)[:1].isdigit()
        if dashed or following in ("/", ":"):
            return True
        written = words.at(diastolic.first)
        if len(written) == 2 and written[0] == "0":
            return True  # 14/07
        start = diastolic.first - 2
        if words.starts_line(start) and self._is_named(words, diastolic.end):
            return True  # '16/9  TA 134/78'
        # '12/5 150/90': a day, then its reading
        return self.pair(words, diastolic.end, named=False, millimetres=True) is not None


def _value(concept: str, part: _Part, after: int) -> Quantity:
    return Quantity(concept, part.value, part.first, part.end, after, part.low, part.high)
