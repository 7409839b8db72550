"""Reading a blood pressure: two numbers, in millimetres or centimetres of mercury."""

from __future__ import annotations

from typing import NamedTuple

from clinical_nlp.pipeline.measurements.knowledge import DIASTOLIC, SYSTOLIC, Knowledge
from clinical_nlp.pipeline.measurements.numbers import Number
from clinical_nlp.pipeline.measurements.reading import Value, ValueReader
from clinical_nlp.pipeline.measurements.text import Words

_STROKES = frozenset({"/", "\\", "|", "-", "–", "—"})
_DASHES = frozenset({"-", "–", "—"})
_TEN = 10.0
# Of readings that no name stands right before, mm Hg.
_USUAL_SYSTOLIC = (80, 250)
_USUAL_DIASTOLIC = 40
_USUAL_DIFFERENCE = 20


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

    systolic: Value
    diastolic: Value
    centimetres: bool

    @property
    def values(self) -> tuple[Value, Value]:
        """Both, in order."""
        return (self.systolic, self.diastolic)


class PressureReader:
    """Reads blood pressures: ``152/88``, ``14/8``, ``124-78``, ``138 84``, ``150-160/90``."""

    def __init__(self, knowledge: Knowledge, reader: ValueReader) -> None:
        self._knowledge = knowledge
        self._rules = knowledge.pressure
        self._reader = reader
        self._systolic = knowledge.measures[SYSTOLIC]
        self._diastolic = knowledge.measures[DIASTOLIC]
        self._temperature = knowledge.measures["body_temperature"]

    def pair(
        self, words: Words, position: int, *, named: bool, millimetres: bool = False
    ) -> PressureReading | None:
        """Read two numbers at ``position``.

        Parameters
        ----------
        named
            Whether a name of the blood pressure stands before them: without one, only a
            stroke or a dash joins them.
        millimetres
            Whether to refuse centimetres, which look like dates.
        """
        if not named and words.at(position + 1) not in _STROKES:
            return None
        systolic = self._part(words, position, systolic=True)
        if systolic is None:
            return None
        start = self._second(words, systolic.end, named=named)
        if start is None:
            return None
        diastolic = self._part(words, start, systolic=False)
        if diastolic is None or not self._fit(words, systolic, diastolic):
            return None
        if systolic.centimetres and (millimetres or self._is_date(words, diastolic)):
            return None
        form, after = self._reader.unit(words, diastolic.end)
        if form and form not in self._diastolic.units:
            if form[0] in ("mg", "mcg", "ug", "g"):
                return None
            after = diastolic.end
        elif not form:
            after = diastolic.end
        return PressureReading(
            _value(SYSTOLIC, systolic, start),
            _value(DIASTOLIC, diastolic, after),
            systolic.centimetres,
        )

    @staticmethod
    def is_usual(reading: PressureReading) -> bool:
        """Whether no two doses look like it: '160/25' and '80/12,5' are tablets."""
        low, high = _USUAL_SYSTOLIC
        return (
            low <= reading.systolic.value <= high
            and reading.diastolic.value >= _USUAL_DIASTOLIC
            and reading.systolic.value - reading.diastolic.value >= _USUAL_DIFFERENCE
        )

    def single(self, words: Words, position: int) -> Value | int | None:
        """One number under the name of the pressure: the systolic one, or 'Tª 36,5'."""
        number = self._reader.number(words, position)
        if number is None:
            return None
        first, last = self._rules.temperature
        if number.decimal is not None and first <= number.decimal <= last:
            return self._reader.scalar(words, position, self._temperature)
        return self._reader.scalar(words, position, self._systolic)

    def _second(self, words: Words, position: int, *, named: bool) -> int | None:
        """Where the second number begins."""
        sign = words.at(position)
        if words.at(position) in ("mmhg", "mm"):
            position += 1
            sign = words.at(position)
        if sign in _STROKES or (named and sign in self._rules.joins):
            return position + 1
        if named and (sign[:1].isdigit() or sign in self._knowledge.numbers.words):
            return position
        return None

    def _part(self, words: Words, position: int, *, systolic: bool) -> _Part | None:
        number = self._reader.number(words, position)
        if number is None:
            return None
        value = self._millimetres(number, systolic=systolic)
        if value is None:
            return None
        second = None
        if words.at(number.end) in _DASHES:
            second = self._knowledge.numbers.digits(words, number.end + 1)
        upper = self._millimetres(second, systolic=systolic) if second is not None else None
        # '150-160/90' is a range of the systolic, '124-78' two pressures.
        if second is not None and upper is not None and upper[0] > value[0]:
            before_stroke = words.at(second.end) in _STROKES
            if before_stroke == systolic and upper[1] == value[1]:
                mean = (value[0] + upper[0]) / 2
                return _Part(mean, number.first, second.end, value[1], value[0], upper[0])
        return _Part(value[0], number.first, number.end, value[1])

    def _millimetres(self, number: Number, *, systolic: bool) -> tuple[float, bool] | None:
        """The number in mm Hg and whether it was written in centimetres."""
        measure = self._systolic if systolic else self._diastolic
        rules = self._rules
        first, last = rules.centimetres_systolic if systolic else rules.centimetres_diastolic
        for reading in number.values(whole_expected=False):
            if measure.low <= reading <= measure.high and reading.is_integer():
                return reading, False
            if first <= reading <= last:
                return round(reading * _TEN, 1), True
        return None

    def _fit(self, words: Words, systolic: _Part, diastolic: _Part) -> bool:
        """Whether both belong to one reading."""
        if diastolic.centimetres and not systolic.centimetres:
            return False
        return systolic.value - diastolic.value >= self._rules.least_difference

    def _is_date(self, words: Words, diastolic: _Part) -> bool:
        """Whether two small numbers are a day and a month: '14/07/23', '14/07: ...'."""
        following = words.at(diastolic.end)
        if following in ("/", ":"):
            return True
        if following == "-" and words.at(diastolic.end + 1)[:1].isdigit():
            return True
        written = words.at(diastolic.first)
        if len(written) == 2 and written[0] == "0":
            return True  # 14/07
        # '12/5 150/90': a day, then its reading
        after = self.pair(words, diastolic.end, named=False, millimetres=True)
        return after is not None


def _value(concept: str, part: _Part, after: int) -> Value:
    return Value(concept, part.value, part.first, part.end, after, part.low, part.high)
