"""Values without a name before them: told by their unit, a name after them, or their place."""

from __future__ import annotations

from clinical_nlp.pipeline.measurements.context import Context
from clinical_nlp.pipeline.measurements.continuation import Continuation
from clinical_nlp.pipeline.measurements.knowledge import (
    DIASTOLIC,
    PRESSURE,
    SYSTOLIC,
    Knowledge,
    Name,
)
from clinical_nlp.pipeline.measurements.pressure import PressureReader, PressureReading
from clinical_nlp.pipeline.measurements.reading import Value, ValueReader, with_comparator
from clinical_nlp.pipeline.measurements.text import Words

_OF = frozenset({"de", "d", "ko", "eko"})
_UNNAMED_PRESSURE = "blood_pressure"
_TOWARDS = frozenset({"a", "hasta"})
_BEFORE = 5  # words before a number that may make it something else
_VITALS_WITHIN = 6
_PAIR_WITHIN = 7
_TAKEN_WITHIN = 6
_GIVEN = frozenset({"dan", "da", "dio", "dado", "tenia", "salio", "salia", "marca", "marcaba"})
_BOTH = frozenset({"ta", "tension", "tensio", "maxima", "minima", "alta", "baja"})
_READINGS_WITHIN = 8
_VITALS_BEFORE_SATURATION = frozenset(
    {"heart_rate", "diastolic_bp", "respiratory_rate", "body_temperature"}
)
_TURN_SIGNS = frozenset({"", ",", ";", "-", "/"})
_TURN_ENDS = frozenset({"", ",", ";", "."})
_TURN_SATURATION = (70, 100)  # %
_TURN_RATE = (40, 170)  # per minute
_VITALS = frozenset(
    {"heart_rate", "oxygen_saturation", "body_temperature", "respiratory_rate", "body_weight"}
)


class UnnamedReader:
    """Reads a number that no name leads to."""

    def __init__(
        self,
        knowledge: Knowledge,
        reader: ValueReader,
        pressure: PressureReader,
        context: Context,
        continuation: Continuation,
    ) -> None:
        self._knowledge = knowledge
        self._reader = reader
        self._pressure = pressure
        self._context = context
        self._continuation = continuation

    def at(
        self, words: Words, position: int, *, examined: bool, last: Value | None = None
    ) -> list[Value]:
        """Values at ``position``; ``examined`` as in :meth:`Scanner.scan`.

        ``last`` is the value said just before, if any.
        """
        return (
            self._by_unit(words, position)
            or self._before_name(words, position)
            or (self._in_turn(words, position, last) if last is not None else [])
            or self._bare_pressure(words, position, examined=examined)
        )

    def _by_unit(self, words: Words, position: int) -> list[Value]:
        """A number that its unit names: '104 lpm', '148/72 mmHg'."""
        knowledge = self._knowledge
        reading = self._pressure.pair(words, position, named=False, millimetres=True)
        if reading is not None:
            length, keys = knowledge.standalone.at(words, reading.diastolic.end)
            if (
                length
                and _UNNAMED_PRESSURE in keys
                and self._free(words, position, _UNNAMED_PRESSURE)
            ):
                return list(reading.values)
            return []
        number = self._reader.number(words, position)
        if number is None:
            return []
        end = number.end
        if words.at(end) in ("-", "a") and words.at(end + 1)[:1].isdigit():
            end += 2
        length, keys = knowledge.standalone.at(words, end)
        for key in keys if length else ():
            measure = knowledge.measures.get(key)
            if measure is None or not self._free(words, position, key):
                continue
            value = self._reader.scalar(words, position, measure)
            if isinstance(value, Value) and value.value < knowledge.standalone_low.get(key, 0):
                continue
            if isinstance(value, Value) and not self._context.is_threshold(
                words, position, _comparator_before(words, position), position, value.after
            ):
                first = with_comparator(value, _comparator_before(words, position))
                # '69 kg (72 al ingreso)'
                return [first, *self._continuation.scalars(words, first, measure, Name(key))]
        return []

    def _before_name(self, words: Words, position: int) -> list[Value]:
        """A number said before its name: '38,5 de fiebre', '15/9 de tension'."""
        knowledge = self._knowledge
        reading = self._pressure.pair(words, position, named=False)
        number = self._reader.number(words, position)
        if number is None:
            return []
        end = reading.diastolic.after if reading is not None else number.end
        if reading is None:
            end = self._reader.unit(words, end)[1]
        if words.at(end) not in _OF:
            return self._high_or_low(words, position, end) if reading is None else []
        length, names = knowledge.names.at(words, end + 1)
        if reading is None and any(n.concept in (SYSTOLIC, DIASTOLIC) for n in names):
            return self._high_or_low(words, position, end + 1)
        name = names[0] if length else None
        if name is None or name.is_other or name.near or name.after or name.needs_link:
            return []
        if name.concept == PRESSURE and reading is not None:
            return list(reading.values)
        if name.concept == PRESSURE:
            value = self._pressure.single(words, position)
            return [value] if isinstance(value, Value) else []
        measure = knowledge.measures[name.concept]
        value = self._reader.scalar(words, position, measure, name)
        if not isinstance(value, Value):
            return []
        before = words.before(position, _BEFORE)
        if measure.levels_only and not knowledge.changes.isdisjoint(before):
            return []
        comparator = _comparator_before(words, position)
        if self._context.is_threshold(words, position, comparator, position, value.after):
            return []
        return [with_comparator(value, comparator)]

    def _in_turn(self, words: Words, position: int, last: Value) -> list[Value]:
        """'148/82, 76, 96%', '148/82/76': signs told in their usual order."""
        number = self._reader.number(words, position)
        if number is None:
            return []
        gap = words.at(position - 1) if position > last.after else ""
        following = words.at(number.end)
        percent = following == "%"
        if percent and last.concept in _VITALS_BEFORE_SATURATION and gap in _TURN_SIGNS:
            key, low, high = "oxygen_saturation", *_TURN_SATURATION
        elif last.concept == DIASTOLIC and (
            gap == "/"
            or (gap == "(" and following == ")")
            or (gap in ("", "-") and following in _TURN_ENDS)
            or (gap == "," and following == "," and self._percent(words, number.end + 1))
        ):
            key, low, high = "heart_rate", *_TURN_RATE
        else:
            return []
        value = number.whole
        if value is None or not low <= value <= high:
            return []
        return [Value(key, float(value), number.first, number.end, number.end + percent)]

    @staticmethod
    def _percent(words: Words, position: int) -> bool:
        return words.at(position).isdigit() and words.at(position + 1) == "%"

    def _high_or_low(self, words: Words, position: int, end: int) -> list[Value]:
        """'145 la alta, 68 la baja', '17 de máxima y 9 de mínima', as patients tell them."""
        knowledge = self._knowledge
        length, names = knowledge.names.at(words, end)
        for name in names if length else ():
            if name.concept in (SYSTOLIC, DIASTOLIC):
                around = {*words.before(position, _PAIR_WITHIN), *words.after(end, _PAIR_WITHIN)}
                if (name.near or name.after) and around.isdisjoint(_BOTH):
                    continue
                value = self._reader.scalar(words, position, knowledge.measures[name.concept], name)
                if isinstance(value, Value):
                    return [value]
        return []

    def _free(self, words: Words, position: int, key: str) -> bool:
        """Whether nothing before the number makes it something else."""
        before = words.before(position, _BEFORE)
        if key == "body_weight" and words.at(position - 1) in _TOWARDS:
            return True  # 'ha bajado a 76 kg'
        return self._knowledge.not_after.get(key, frozenset()).isdisjoint(before)

    def _bare_pressure(self, words: Words, position: int, *, examined: bool) -> list[Value]:
        """'O: 163/102, fc 110', 'en consulta 14,2/8,4': two numbers where vital signs stand.

        Outside an examination only those that nothing else looks like.
        """
        reading = self._pressure.pair(words, position, named=False)
        if reading is None or words.at(reading.systolic.end) != "/":
            return []
        decimals = "," in words.at(position) or "," in words.at(position + 2)
        if not examined:
            if not self._pressure.is_usual(reading) or (
                reading.centimetres and not decimals and words.at(position - 1) not in _GIVEN
            ):
                return []
            before = words.before(position, _TAKEN_WITHIN)
            near = before if not reading.centimetres else before[:2]
            if not self._knowledge.taken_at.isdisjoint(near):
                return self._series(words, reading)
        end = reading.diastolic.end
        if self._pressure.is_usual(reading) and self._another(words, end):
            return self._series(words, reading)
        following = words.after(end, _VITALS_WITHIN)
        vital = any(self._is_vital(words, place) for place in range(end, end + len(following)))
        return self._series(words, reading) if vital else []

    def _series(self, words: Words, first: PressureReading) -> list[Value]:
        readings = (first, *self._continuation.pressures(words, first))
        return [value for reading in readings for value in reading.values]

    def _another(self, words: Words, position: int) -> bool:
        """Whether a second reading follows: 'mañana 148/82, noche 139/78'."""
        for place in range(position, position + len(words.after(position, _READINGS_WITHIN))):
            if words.norms[place].isdigit() and words.at(place + 1) == "/":
                other = self._pressure.pair(words, place, named=False, millimetres=True)
                return other is not None and self._pressure.is_usual(other)
        return False

    def _is_vital(self, words: Words, position: int) -> bool:
        """Whether a vital sign's name or unit stands here."""
        names = self._knowledge.names.at(words, position)[1]
        units = self._knowledge.standalone.at(words, position)[1]
        return any(name.concept in _VITALS for name in names) or not _VITALS.isdisjoint(units)


def _comparator_before(words: Words, position: int) -> str | None:
    sign = words.at(position - 1)
    return sign if sign in ("<", ">") else None
