"""Values without a name before them: told by their unit, a name after them, or their place."""

from __future__ import annotations

from clinical_nlp.pipeline.measurements.context import Context
from clinical_nlp.pipeline.measurements.knowledge import PRESSURE, Knowledge
from clinical_nlp.pipeline.measurements.pressure import PressureReader
from clinical_nlp.pipeline.measurements.reading import Value, ValueReader, with_comparator
from clinical_nlp.pipeline.measurements.text import Words

_OF = frozenset({"de", "d", "ko", "eko"})
_UNNAMED_PRESSURE = "blood_pressure"
_BEFORE = 5  # words before a number that may make it something else
_VITALS_WITHIN = 6
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
    ) -> None:
        self._knowledge = knowledge
        self._reader = reader
        self._pressure = pressure
        self._context = context

    def at(self, words: Words, position: int, *, examined: bool) -> list[Value]:
        """Values at ``position``; ``examined`` as in :meth:`Scanner.scan`."""
        return (
            self._by_unit(words, position)
            or self._before_name(words, position)
            or (self._bare_pressure(words, position) if examined else [])
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
                return [with_comparator(value, _comparator_before(words, position))]
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
            return []
        length, names = knowledge.names.at(words, end + 1)
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

    def _free(self, words: Words, position: int, key: str) -> bool:
        """Whether nothing before the number makes it something else."""
        before = words.before(position, _BEFORE)
        return self._knowledge.not_after.get(key, frozenset()).isdisjoint(before)

    def _bare_pressure(self, words: Words, position: int) -> list[Value]:
        """'O: 163/102, fc 110': two numbers that open an examination."""
        reading = self._pressure.pair(words, position, named=False)
        if reading is None or words.at(position + 1) != "/":
            return []
        end = reading.diastolic.end
        following = words.after(end, _VITALS_WITHIN)
        vital = any(self._is_vital(words, place) for place in range(end, end + len(following)))
        return list(reading.values) if vital else []

    def _is_vital(self, words: Words, position: int) -> bool:
        """Whether a vital sign's name or unit stands here."""
        names = self._knowledge.names.at(words, position)[1]
        units = self._knowledge.standalone.at(words, position)[1]
        return any(name.concept in _VITALS for name in names) or not _VITALS.isdisjoint(units)


def _comparator_before(words: Words, position: int) -> str | None:
    sign = words.at(position - 1)
    return sign if sign in ("<", ">") else None
