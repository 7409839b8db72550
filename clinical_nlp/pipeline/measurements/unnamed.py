"""Values without a name before them: known by their unit, a later name, or their place."""

from __future__ import annotations

from clinical_nlp.pipeline.measurements.context import Context
from clinical_nlp.pipeline.measurements.further_values import FurtherValues
from clinical_nlp.pipeline.measurements.measurement_rules import (
    DIASTOLIC,
    PRESSURE,
    SYSTOLIC,
    UNNAMED_PRESSURE,
    Name,
)
from clinical_nlp.pipeline.measurements.pressure import PressureReader, PressureReading
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity, QuantityReader
from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.pipeline.measurements.usual_order import UsualOrder

_OF = frozenset({"de", "d", "ko", "eko"})
_TOWARDS = frozenset({"a", "hasta"})
# Words around a number within which others decide what it is.
_BEFORE = 5
_VITALS_WITHIN = 6
_PAIR_WITHIN = 7
_TAKEN_WITHIN = 6
_READINGS_WITHIN = 8
_LIMIT_WITHIN = 11
_FREE_BEFORE = frozenset({".", ",", ";", ":", "(", "[", "|", "=", "?", "!"})
_SHIFTS = frozenset({"m", "t", "n", "d"})  # mañana, tarde, noche, día
_STROKES_AFTER = frozenset({"/", "-"})
_LONGEST_COMPARATOR = 5
_FREE_SYSTOLIC = 85  # mm Hg; 'Ultibro 85/43'
_PRESSURE_WORDS = frozenset({"ta", "tension", "tensio", "maxima", "minima", "alta", "baja"})
_VITALS = frozenset(
    {"heart_rate", "oxygen_saturation", "body_temperature", "respiratory_rate", "body_weight"}
)


class UnnamedReader:
    """Reads numbers without a name before them."""

    def __init__(
        self,
        reader: QuantityReader,
        pressure: PressureReader,
        context: Context,
        further: FurtherValues,
    ) -> None:
        self._rules = reader.rules
        self._reader = reader
        self._pressure = pressure
        self._context = context
        self._further = further
        self._order = UsualOrder(reader)

    def at(
        self, words: Words, position: int, *, in_examination: bool, last: Quantity | None = None
    ) -> list[Quantity]:
        """Return the values at ``position``; ``in_examination`` as in :meth:`Scanner.scan`.

        ``last`` is the value just before, if any.
        """
        return (
            self._by_unit(words, position)
            or self._before_name(words, position)
            or (self._order.at(words, position, last) if last is not None else [])
            or self._bare_pressure(words, position, in_examination=in_examination)
        )

    def _by_unit(self, words: Words, position: int) -> list[Quantity]:
        """Read a number whose unit names it: '104 lpm', '148/72 mmHg'."""
        rules = self._rules
        reading = self._pressure.pair(words, position, named=False, millimetres=True)
        if reading is not None:
            length, keys = rules.standalone.at(words, reading.diastolic.end)
            named = length and UNNAMED_PRESSURE in keys
            free = named and self._is_free(words, position, UNNAMED_PRESSURE)
            return list(reading.values) if free else []
        number = self._reader.number(words, position)
        if number is None:
            return []
        end = number.end
        if words.at(end) in ("-", "a") and words.at(end + 1)[:1].isdigit():
            end += 2
        length, keys = rules.standalone.at(words, end)
        for key in keys if length else ():
            measure = rules.measures.get(key)
            if measure is None or not self._is_free(words, position, key):
                continue
            value = self._reader.scalar(words, position, measure)
            if not isinstance(value, Quantity) or value.value < rules.standalone_low.get(key, 0):
                continue
            comparator = self._comparator_before(words, position)
            if not self._context.is_threshold(words, position, comparator, position, value.after):
                first = value._replace(comparator=comparator)
                # '69 kg (72 al ingreso)'
                return [first, *self._further.scalars(words, first, measure, Name(key))]
        return []

    def _before_name(self, words: Words, position: int) -> list[Quantity]:
        """Read a number before its name: '38,5 de fiebre', '15/9 de tension'."""
        rules = self._rules
        reading = self._pressure.pair(words, position, named=False)
        number = self._reader.number(words, position)
        if number is None:
            return []
        after_number = self._reader.unit(words, number.end)[1]
        end = reading.diastolic.after if reading is not None else after_number
        if words.at(end) == "(":
            return self._before_bracket(words, position, end, reading)
        if words.at(end) not in _OF:
            return self._high_or_low(words, position, end) if reading is None else []
        length, names = rules.names.at(words, end + 1)
        if reading is None and any(n.concept in (SYSTOLIC, DIASTOLIC) for n in names):
            return self._high_or_low(words, position, end + 1)
        name = names[0] if length else None
        if name is None or name.is_other or name.near or name.after or name.needs_link:
            return []
        if name.concept == PRESSURE and reading is not None:
            return list(reading.values)
        if name.concept == PRESSURE:
            value = self._pressure.single(words, position)
            return [value] if isinstance(value, Quantity) else []
        measure = rules.measures[name.concept]
        value = self._reader.scalar(words, position, measure, name)
        if not isinstance(value, Quantity):
            return []
        before = words.before(position, _BEFORE)
        if measure.levels_only and not rules.changes.isdisjoint(before):
            return []
        comparator = self._comparator_before(words, position)
        if self._context.is_threshold(words, position, comparator, position, value.after):
            return []
        return [value._replace(comparator=comparator)]

    def _before_bracket(
        self, words: Words, position: int, end: int, reading: PressureReading | None
    ) -> list[Quantity]:
        """Read a number whose name follows in brackets: '72 (FC)', '130/80 (TA)'."""
        length, names = self._rules.names.at(words, end + 1)
        name = names[0] if length else None
        if name is None or words.at(end + 1 + length) != ")" or name.is_other:
            return []
        if name.concept == PRESSURE:
            return [] if reading is None else list(reading.values)
        if reading is not None or name.near or name.after or name.needs_link:
            return []
        value = self._reader.scalar(words, position, self._rules.measures[name.concept], name)
        return [value] if isinstance(value, Quantity) else []

    def _high_or_low(self, words: Words, position: int, end: int) -> list[Quantity]:
        """Read '145 la alta, 68 la baja', '17 de máxima y 9 de mínima' (as patients put it)."""
        rules = self._rules
        length, names = rules.names.at(words, end)
        for name in names if length else ():
            if name.concept in (SYSTOLIC, DIASTOLIC):
                around = {*words.before(position, _PAIR_WITHIN), *words.after(end, _PAIR_WITHIN)}
                if (name.near or name.after) and around.isdisjoint(_PRESSURE_WORDS):
                    continue
                value = self._reader.scalar(words, position, rules.measures[name.concept], name)
                if isinstance(value, Quantity):
                    return [value]
        return []

    def _is_free(self, words: Words, position: int, key: str) -> bool:
        """Whether no word before the number makes it something else."""
        before = words.before(position, _BEFORE)
        if key == "body_weight" and words.at(position - 1) in _TOWARDS:
            return True  # 'ha bajado a 76 kg'
        return self._rules.not_after.get(key, frozenset()).isdisjoint(before)

    def _bare_pressure(
        self, words: Words, position: int, *, in_examination: bool
    ) -> list[Quantity]:
        """Read two numbers among vital signs: 'O: 163/102, fc 110', 'en consulta 14,2/8,4'.

        Outside an examination only pairs that can be nothing else.
        """
        reading = self._pressure.pair(words, position, named=False)
        if reading is None or self._is_limit(words, position):
            return []
        if words.at(reading.systolic.end) != "/":
            return self._diary_pair(words, position, reading)
        decimals = "," in words.at(position) or "," in words.at(position + 2)
        if not in_examination:
            if not self._pressure.is_usual(reading) or (
                reading.centimetres
                and not decimals
                and words.at(position - 1) not in self._rules.given
            ):
                return []
            before = words.before(position, _TAKEN_WITHIN)
            near = before if not reading.centimetres else before[:2]
            if words.at(position - 1) in self._rules.given:
                return self._series(words, reading)
            if not self._rules.taken_at.isdisjoint(near):
                return self._series(words, reading)
            if not reading.centimetres and self._stands_free(words, position, reading):
                return self._series(words, reading)
        elif (  # 'O: 139/66'
            not reading.centimetres
            and words.at(position - 1) == ":"
            and self._pressure.is_usual(reading)
        ):
            return self._series(words, reading)
        end = reading.diastolic.end
        named = words.at(position - 1).isalpha() and not self._may_precede(words, position - 1)
        usual = self._pressure.is_usual(reading) and not (named and not in_examination)
        if usual and self._another_follows(words, end):
            return self._series(words, reading)
        following = words.after(end, _VITALS_WITHIN)
        vital = any(self._is_vital(words, place) for place in range(end, end + len(following)))
        return self._series(words, reading) if vital else []

    def _diary_pair(self, words: Words, position: int, reading: PressureReading) -> list[Quantity]:
        """Read two numbers with a dash after a day that starts a line: 'mar  14,8-9'.

        'lun 15-9' is a day and a month.
        """
        before = words.at(position - 1)  # 'mar' is a day and a month
        dated = before in self._rules.days or before in self._rules.months
        in_diary = dated and words.starts_line(position - 1)
        if not in_diary or not self._pressure.is_usual(reading):
            return []
        if reading.centimetres and "," not in words.at(position):
            return []
        return self._series(words, reading)

    def _is_limit(self, words: Words, position: int) -> bool:
        """Whether the pair is a limit of its line: 'Valor límite act. 135/85, desc. 120/70'."""
        for place in range(position - 1, max(position - _LIMIT_WITHIN, -1), -1):
            norm = words.norms[place]
            if norm in self._rules.pair_limits:
                return True
            stops = norm == "." and not words.at(place + 1)[:1].isdigit()  # not 'act. 135/85'
            if stops or norm in ("?", "!", ";") or words.starts_line(place):
                return False
        return False

    def _stands_free(self, words: Words, position: int, reading: PressureReading) -> bool:
        """Whether no word before or after makes the pair two doses: 'orientado, 124/62.'.

        A word right before two whole numbers may be a drug; two averages with decimals are no
        drug's.
        """
        following = words.at(reading.diastolic.end)
        if following in _STROKES_AFTER or self._reader.unit(words, reading.diastolic.end)[0]:
            return False
        if not reading.systolic.value.is_integer() or not reading.diastolic.value.is_integer():
            return True
        if reading.systolic.value < _FREE_SYSTOLIC or words.is_adjacent(position):
            return words.at(position - 1) in ("(", "[", ":") and (
                reading.systolic.value >= _FREE_SYSTOLIC
            )
        before = words.at(position - 1)
        if words.starts_line(position) or not before or before in _FREE_BEFORE:
            return True
        if before in _SHIFTS and words.is_capital(position - 1):
            return True  # '12/03 M 142/85 70 T 138/80 68'
        if before == "/" and not words.is_adjacent(position):
            return True
        if len(words.blank_before(position)) > 1:
            return True  # a column of its own
        return before in self._rules.days or bool(self._reader.ends_date(words, position))

    def _series(self, words: Words, first: PressureReading) -> list[Quantity]:
        readings = (first, *self._pressure.series(words, first))
        return [value for reading in readings for value in reading.values]

    def _may_precede(self, words: Words, position: int) -> bool:
        """Whether a word right before a pair tells where, when or how it was taken."""
        rules, norm = self._rules, words.at(position)
        return any(
            norm in known for known in (rules.between, rules.series, rules.taken_at, rules.days)
        )

    def _another_follows(self, words: Words, position: int) -> bool:
        """Whether a second reading follows: 'mañana 148/82, noche 139/78'."""
        for place in range(position, position + len(words.after(position, _READINGS_WITHIN))):
            if words.norms[place].isdigit() and words.at(place + 1) == "/":
                other = self._pressure.pair(words, place, named=False, millimetres=True)
                return other is not None and self._pressure.is_usual(other)
        return False

    def _is_vital(self, words: Words, position: int) -> bool:
        names = self._rules.names.at(words, position)[1]
        units = self._rules.standalone.at(words, position)[1]
        return any(name.concept in _VITALS for name in names) or not _VITALS.isdisjoint(units)

    def _comparator_before(self, words: Words, position: int) -> str | None:
        """Return the comparator that ends right before a number: '>', 'pasa de'."""
        for length in range(_LONGEST_COMPARATOR, 0, -1):
            found, signs = self._rules.comparators.at(words, position - length)
            if found == length:
                return signs[0]
        return None
