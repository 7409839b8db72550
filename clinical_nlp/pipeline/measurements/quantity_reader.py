"""Read one quantity: the number after a name, its unit, its range, its comparator."""

from __future__ import annotations

import re
from typing import NamedTuple

from clinical_nlp.pipeline.measurements.compound import parted_decimal, spaced_thousands, with_part
from clinical_nlp.pipeline.measurements.measurement_rules import (
    SYSTOLIC,
    Measure,
    MeasurementRules,
    Name,
    Unit,
)
from clinical_nlp.pipeline.measurements.numbers import Number
from clinical_nlp.pipeline.measurements.reference import References
from clinical_nlp.pipeline.measurements.text import DASHES, Words

_DOTTED = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}$")
_DATE_SIGNS = frozenset({"/", "-", "."})
_DAYS, _MONTHS = 31, 12
_YEARS = range(1950, 2100)
_SHORT_YEAR = 100
_YEAR_DIGITS = 4
_ORDINALS = frozenset({"a", "o", "er", "ra", "da", "do"})
_STARS = frozenset({"*", "↑", "↓", "(*)"})


class Quantity(NamedTuple):
    """A value in the words ``first`` to ``end``; the text continues at ``after``.

    ``low`` and ``high`` are the bounds of a range, whose mean ``value`` is; ``day`` is that of
    its column or row.
    """

    concept: str
    value: float
    first: int
    end: int
    after: int
    low: float | None = None
    high: float | None = None
    comparator: str | None = None
    day: str | None = None


class QuantityReader:
    """Reads the number and unit where a value is expected."""

    def __init__(self, rules: MeasurementRules) -> None:
        self.rules = rules
        self.references = References(rules)

    def number(self, words: Words, position: int) -> Number | None:
        """Return the number at ``position``, in digits or in words."""
        number = self.rules.numbers.digits(words, position)
        if number is None and words.at(position) in self.rules.numbers.words:
            number = self.rules.numbers.in_words(words, position)
        return number

    def unit(self, words: Words, position: int) -> tuple[tuple[str, ...], int]:
        """Return the unit at ``position`` and the place after it; empty where there is none."""
        while words.at(position) in _STARS:
            position += 1
        length, forms = self.rules.units.at(words, position)
        return (forms[0], position + length) if forms else ((), position)

    def date(self, words: Words, position: int) -> int:
        """Return the end of the date at ``position``, else 0: 12/03, 12-3-24, 02/2023."""
        first, sign = words.at(position), words.at(position + 1)
        if not first.isdigit():
            return position + 1 if _DOTTED.match(first) else 0
        second = words.at(position + 2)
        if sign not in _DATE_SIGNS or not second.isdigit():
            return 0
        if words.at(position + 3) == sign and words.at(position + 4).isdigit():
            if int(first) <= _DAYS and int(second) <= _MONTHS:
                return position + 5
            return 0
        if sign == "-" or (sign == "." and not words.is_adjacent(position + 1)):
            return 0  # '1 . 4' is a number
        day_and_month = 1 <= int(first) <= _DAYS and 1 <= int(second) <= _MONTHS
        month_and_year = 1 <= int(first) <= _MONTHS and (
            int(second) in _YEARS or (len(second) == 2 and int(second) < _SHORT_YEAR)
        )
        return position + 3 if day_and_month or month_and_year else 0

    def ends_date(self, words: Words, position: int) -> bool:
        """Whether a date ends right before ``position``."""
        return any(self.date(words, position - length) == position for length in (1, 3, 5))

    def is_date_or_year(self, words: Words, position: int) -> bool:
        """Whether a date or a year stands at ``position``."""
        if self.date(words, position):
            return True
        number = self.rules.numbers.digits(words, position)
        return number is not None and number.whole in _YEARS

    def skip_non_value(self, words: Words, position: int) -> int:
        """Return the end of a number that is no value but may precede one; else 0.

        That is: a date, a year, an ordinal ("2a toma"), a number with a unit ("a los 3'").
        """
        date = self.date(words, position)
        if date:
            return date
        number = self.rules.numbers.digits(words, position)
        if number is None:
            return 0
        if words.at(number.end) in _ORDINALS and words.is_adjacent(number.end):
            return number.end + 1
        form, after = self.unit(words, number.end)
        if form in self.rules.passing_units or form in self.rules.weak_units:
            return after
        return number.end if number.whole in _YEARS else 0

    def scalar(
        self,
        words: Words,
        position: int,
        measure: Measure,
        name: Name | None = None,
        default: Unit | None = None,
    ) -> Quantity | int | None:
        """Read one value of ``measure`` at ``position``.

        ``default`` is the unit of a number without one, as a table's header gives it.

        Returns
        -------
        Value, int or None
            The value; the place to continue at where the number is something else that may
            precede a value (a date, a year, an oxygen flow); ``None`` where no value of this
            measurement can follow.
        """
        percent_first = words.at(position) == "%" and words.at(position + 1)[:1].isdigit()
        position += percent_first
        date = self.date(words, position)
        if date:
            return date
        if self._is_year(words, position):
            return position + 1
        if words.at(position) in measure.alone:  # 'metro setenta': of one
            number: Number | None = Number(position, position, 1.0)
        else:
            number = self.rules.numbers.scalar(words, position, decimals=measure.decimals > 0)
        if number is None or (measure.no_pair and self._is_in_pair(words, number)):
            return None
        compound = self._compound(words, number, measure, name, default)
        if compound is not None:
            return compound
        chained = words.at(number.end) in DASHES and words.at(number.end + 2) in DASHES
        in_list = chained or (position > 0 and words.at(position - 1) in DASHES)
        listed = in_list and not words.is_adjacent(number.end)  # 'K 4,6 - 4,9 - 5,8'
        if not (chained and measure.levels_only):  # '70,1 - 70,4 - 70,8' are weights
            value = None if listed else self._range(words, number, measure, name, default)
            if value is not None:
                return value
            if chained and not listed:
                return None  # a dose: 1-0-0
        end = self.references.flag_end(words, number.end, measure) or number.end
        form, after = (("%",), end) if percent_first else self.unit(words, end)
        if name is not None and words.at(number.end) in name.then:
            form, after = (), number.end  # 'S 135 D 85': no days
        labels_next = (
            len(form) == 1
            and not words.is_adjacent(number.end)
            and words.is_capital(number.end)
            and words.at(number.end + 1)[:1].isdigit()
        )
        if labels_next:
            form, after = (), number.end  # 'L 78,4 M 78,6': no months
        if form == ("min",) and measure.key == SYSTOLIC:
            form, after = (), number.end  # 'max 140 min 80': no minutes
        ordinal = number.whole is not None and words.at(number.end) in _ORDINALS
        if ordinal and not form and words.is_adjacent(number.end):
            return number.end + 1  # '2a mostra'
        unit, after = self._own_unit(words, number.end, measure, form, after)
        weak = unit is None and form in self.rules.weak_units
        if form and unit is None and not weak:
            return after if form in self.rules.passing_units else None
        if weak and words.is_adjacent(number.end) and form[0].isalpha():
            return after if form[0] in _ORDINALS else None  # '45o', 'FE75C'
        if unit is None and name is not None and name.needs_unit:
            return None
        read = measure.value(number, unit or default, name)
        if read is None:
            own = unit is not None and form not in self.rules.weak_units
            return None if own else self.skip_non_value(words, position) or None
        return Quantity(measure.key, read, number.first, number.end, number.end if weak else after)

    def _is_year(self, words: Words, position: int) -> bool:
        """Whether a number is the year of what follows or precedes: '2023: 300', '300 en 2023'."""
        norm = words.at(position)
        if not (norm.isdigit() and len(norm) == _YEAR_DIGITS and int(norm) in _YEARS):
            return False
        if words.at(position + 1) == ":" and words.at(position + 2)[:1].isdigit():
            return True
        before = words.at(position - 1)
        if before in ("(", "[") and words.at(position + 1) in (")", "]"):
            return True
        unit = self.rules.units.at(words, position + 1)[0]
        return not unit and (before in self.rules.in_time or before in self.rules.months)

    def _compound(
        self,
        words: Words,
        number: Number,
        measure: Measure,
        name: Name | None,
        default: Unit | None,
    ) -> Quantity | None:
        """Read '1 250 pg/mL', '1m65', '70 kilos y medio'; ``None`` where it is none of these."""
        continued = with_part(words, number, measure, self.rules) or parted_decimal(
            words, number, measure, self.rules
        )
        if continued is not None:
            form, after = self.unit(words, continued.end)
            unit, after = self._own_unit(words, continued.end, measure, form, after)
            if unit is None:
                unit, after = measure.units.get((words.at(number.end),)), continued.end
            value = measure.value(continued, unit, name)
            place = (continued.first, continued.end, after)
            return None if value is None else Quantity(measure.key, value, *place)
        joined = spaced_thousands(words, number, measure)
        if joined is None:
            return None
        form, after = self.unit(words, joined.end)
        unit, after = self._own_unit(words, joined.end, measure, form, after)
        if form and unit is None:
            return None
        value = measure.value(joined, unit or default, name)
        after = after if unit is not None else joined.end
        return (
            None if value is None else Quantity(measure.key, value, number.first, joined.end, after)
        )

    def _is_in_pair(self, words: Words, number: Number) -> bool:
        """Whether the number is one of '128/70', which can only be a blood pressure."""
        systolic, diastolic = number.whole, None
        if words.at(number.end) == "/":
            diastolic = self.rules.numbers.digits(words, number.end + 1)
        elif words.at(number.first - 1) == "/":
            before = self.rules.numbers.digits(words, number.first - 2)
            systolic, diastolic = (None if before is None else before.whole), number
        if systolic is None or diastolic is None or diastolic.whole is None:
            return False
        return self.rules.pressure.is_usual(systolic, diastolic.whole)

    def _own_unit(
        self, words: Words, start: int, measure: Measure, form: tuple[str, ...], after: int
    ) -> tuple[Unit | None, int]:
        """Return the measure's own unit: the longest at ``start``, or a shorter one in it."""
        while form:
            unit = measure.units.get(form)
            if unit is not None:
                return unit, after
            shorter = form[:-1]
            if not shorter or shorter[-1] == "/":
                break
            form, after = shorter, after - 1
        return None, after

    def _range(
        self,
        words: Words,
        number: Number,
        measure: Measure,
        name: Name | None,
        default: Unit | None,
    ) -> Quantity | None:
        """Return the range that begins with ``number``, if any: 35-40%, 35% a 40%."""
        position = number.end + (words.at(number.end) == "%")
        sign = words.at(position)
        dashed = sign in DASHES
        if not dashed and sign not in self.rules.to:
            return None
        second = self.rules.numbers.digits(words, position + 1)
        if second is None or (dashed and words.at(second.end) in DASHES):
            return None
        form, after = self.unit(words, second.end)
        unit, after = self._own_unit(words, second.end, measure, form, after)
        if form and unit is None and form not in self.rules.weak_units:
            return None
        if not dashed and (
            measure.levels_only or not self._is_range(words, number.first, sign, after)
        ):
            return None
        first_value = measure.value(number, unit or default, name)
        second_value = measure.value(second, unit or default, name)
        if first_value is None or second_value is None or not first_value < second_value:
            return None
        mean = (first_value + second_value) / 2
        place = (number.first, second.end, after)
        return Quantity(measure.key, mean, *place, low=first_value, high=second_value)

    def _is_range(self, words: Words, first: int, sign: str, second_end: int) -> bool:
        """Whether words join two numbers into a range: not 'pasa de 30 a 45', not '80 y 85'."""
        before = words.before(first, 6)
        if words.at(first - 1) == "de" and self._in_time(words, second_end):
            return False  # 'de 1,2 a 1,9 en una semana'
        if sign in ("y", "e", "i", "eta"):
            return "entre" in before[:2]
        return self.rules.moves.isdisjoint(before)

    def _in_time(self, words: Words, position: int) -> bool:
        """Whether a time span follows: 'en una semana', 'en 3 meses'."""
        following = words.after(position + 1, 2) if words.at(position) == "en" else ()
        return any((word,) in self.rules.passing_units for word in following)
