"""Find the values of a text: from each name to its numbers, then numbers without a name."""

from __future__ import annotations

import re
from collections.abc import Callable

from clinical_nlp.pipeline.document_layout import Layout
from clinical_nlp.pipeline.measurements.context import Context
from clinical_nlp.pipeline.measurements.further_values import FurtherValues
from clinical_nlp.pipeline.measurements.measurement_rules import (
    PRESSURE,
    SYSTOLIC,
    Measure,
    MeasurementRules,
    Name,
)
from clinical_nlp.pipeline.measurements.pressure import PressureReader
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity, QuantityReader
from clinical_nlp.pipeline.measurements.table_values import TableValues
from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.pipeline.measurements.unnamed import UnnamedReader
from clinical_nlp.pipeline.measurements.value_reader import ValueReader
from clinical_nlp.pipeline.measurements.value_rows import ValueRows
from clinical_nlp.pipeline.measurements.value_search import ValueSearch

_MAX_WORDS_TO_LINK = 6  # from a name to the word that links it to its number
_MAX_WORDS_AFTER_VALUE = 4
_DECIMAL = re.compile(r"\d{2,3}[.,]\d$")
_SEPARATORS = frozenset({",", ";", "/", "-", "y"})


class Scanner:
    """Finds the values of one text, in one pass over its words.

    Parameters
    ----------
    rules
        Names, units, limits and words.
    in_examination
        Whether a word is at the start of an examination, where two numbers with a stroke
        between are a blood pressure even without its name.
    """

    def __init__(
        self, rules: MeasurementRules, words: Words, in_examination: Callable[[int], bool]
    ) -> None:
        self._rules, self._words, self._in_examination = rules, words, in_examination
        self._quantities = QuantityReader(rules)
        self._pressure = PressureReader(self._quantities)
        self._context = Context(rules)
        self._further = FurtherValues(self._quantities)
        self._rows = ValueRows(self._quantities, self._pressure)
        self._unnamed = UnnamedReader(
            self._quantities, self._pressure, self._context, self._further
        )
        self._search = ValueSearch(rules, self._pressure)
        self._tables = TableValues(
            rules, ValueReader(self._quantities, self._pressure, self._further)
        )
        self._values: list[Quantity] = []
        # Index of the first value after which the text continues at a place.
        self._ended: dict[int, int] = {}
        self._decimals: dict[str, bool] = {}
        self._used: set[int] = set()  # words of values, and of numbers to ignore

    def scan(self, layout: Layout | None = None) -> list[Quantity]:
        """Return the values, in order of place; those of the layout's tables are read first."""
        words, names = self._words, self._rules.names
        if layout is not None and layout.tables:
            reading = self._tables.read(words, layout)
            self._add(reading.values)
            self._used.update(reading.taken)
        end = 0
        openings = names.first_words
        for position in [i for i, norm in enumerate(words.norms) if norm in openings]:
            if position < end:
                continue
            length, entries = names.at(words, position)
            if not length:
                continue
            end = position + length
            for name in entries:
                if self._read(name, position, end):
                    break
        for position in words.numbers:
            if position not in self._used:
                opening, last = self._in_examination(position), self._last_before(position)
                self._add(self._unnamed.at(words, position, in_examination=opening, last=last))
        return sorted(self._values, key=lambda value: value.first)

    def _last_before(self, position: int) -> Quantity | None:
        # The systolic value ends where the diastolic one begins.
        ended = [self._ended[at] for at in (position, position - 1) if at in self._ended]
        return self._values[ended[0]] if ended else None

    def _add(self, values: list[Quantity]) -> None:
        for value in values:
            if self._used.isdisjoint(range(value.first, value.end)):
                self._used.update(range(value.first, value.end))
                self._ended.setdefault(value.after, len(self._values))
                self._values.append(value)

    def _read(self, name: Name, start: int, end: int) -> bool:
        """Read the values of a name; return whether the name has this meaning here."""
        if name.is_other:
            self._skip_other_test(end)
            return True
        if not self._context.conditions_met(self._words, name, start, end):
            return False
        if name.after is not None and not self._follows_concept(name.after, start):
            return False
        if name.decimals is not None and name.decimals != self._has_decimals(start):
            return False
        several = self._rows.values(self._words, name, end)
        if several:
            self._add(several)
            return True
        if name.concept == PRESSURE:
            return self._read_pressure(name, start, end)
        if name.concept == SYSTOLIC and self._leads_to_pair(end):  # 'al alta 150/85'
            return self._read_pressure(name, start, end)
        measure = self._rules.measures[name.concept]
        if name.needs_link:
            values = self._linked(name, measure, end)
        else:
            values = self._scalar(name, measure, start, end)
        self._add(values)
        return bool(values)

    def _follows_concept(self, concept: str, start: int) -> bool:
        if not self._values or self._values[-1].concept != concept:
            return False
        return 0 <= start - self._values[-1].after <= _MAX_WORDS_AFTER_VALUE

    def _has_decimals(self, start: int) -> bool:
        """Whether any number after this word, anywhere in the text, has decimals: 'P 71,2'."""
        words, norm = self._words, self._words.norms[start]
        if norm not in self._decimals:
            following = (words.norms[i + 1] for i in range(words.size - 1) if words.at(i) == norm)
            self._decimals[norm] = any(_DECIMAL.match(other) for other in following)
        return self._decimals[norm]

    def _skip_other_test(self, end: int) -> None:
        """Keep the number after another test's name from being read as a measurement."""
        for position, norm in enumerate(self._words.norms[end : end + _MAX_WORDS_AFTER_VALUE], end):
            if norm[0].isdigit():
                self._used.add(position)
            if norm[0].isdigit() or norm not in self._rules.between:
                return

    def _scalar(self, name: Name, measure: Measure, start: int, end: int) -> list[Quantity]:
        words = self._words

        def read(position: int) -> Quantity | int | None:
            return self._quantities.scalar(words, position, measure, name)

        result = self._search.find(words, end, measure, name, read)
        if result is None:
            return []
        value, comparator = result
        if comparator is None:
            value, comparator = self._bounded_after(value)
        if comparator is not None and (answer := self._answer(value, measure, name)) is not None:
            self._used.update(range(value.first, value.end))
            return [answer]
        value = self._corrected(value, measure, name)
        if measure.levels_only and self._context.is_change(words, start, value):
            return []
        if self._context.is_threshold(words, start, comparator, value.first, value.after):
            self._used.update(range(value.first, value.end))
            # 'mientras TAS > 90 (hoy 102)'
            today = self._further.in_bracket(words, value.after, measure)
            return [today] if today is not None else []
        if name.then and not self._then(name, value.after):
            return []
        first = value._replace(comparator=comparator)
        return [first, *self._further.scalars(words, first, measure, name)]

    def _bounded_after(self, value: Quantity) -> tuple[Quantity, str | None]:
        """Return the comparator that follows a value, in Basque: '% 40 baino txikiagoa'."""
        if self._words.at(value.after) not in self._rules.comparators_after.first_words:
            return value, None
        length, signs = self._rules.comparators_after.at(self._words, value.after)
        if not length:
            return value, None
        return value._replace(after=value.after + length), signs[0]

    def _corrected(self, value: Quantity, measure: Measure, name: Name) -> Quantity:
        """Return the value that corrects one: 'peso setenta y nueve no corrijo 74,2'."""
        words = self._words
        place = value.after + (words.at(value.after) == ",")
        if words.at(place) not in self._rules.corrections.first_words:
            return value
        length = self._rules.corrections.at(words, place)[0]
        if not length:
            return value
        place += length + (words.at(place + length) in (",", ":"))
        second = self._quantities.scalar(words, place, measure, name)
        if not isinstance(second, Quantity):
            return value
        self._used.update(range(value.first, value.end))
        return second

    def _answer(self, criterion: Quantity, measure: Measure, name: Name) -> Quantity | None:
        """Return the value in brackets that answers a criterion: 'IMC > 35: S (38,2)'."""
        words = self._words
        place = criterion.after + (words.at(criterion.after) in (":", "?"))
        if words.at(place) not in self._rules.answers or words.at(place + 1) != "(":
            return None
        value = self._quantities.scalar(words, place + 2, measure, name)
        if not isinstance(value, Quantity) or words.at(value.after) != ")":
            return None
        return value

    def _then(self, name: Name, after: int) -> bool:
        """Whether the name that must follow does, with a number: 'S 135, D 85'."""
        words = self._words
        place = after + (words.at(after) in _SEPARATORS)
        if words.at(place) not in name.then:
            return False
        place += 1 + (words.at(place + 1) in (":", ".", "="))
        return words.at(place)[:1].isdigit()

    def _linked(self, name: Name, measure: Measure, end: int) -> list[Quantity]:
        """Read a number right after a linking word: 'FA no conocida a 108'."""
        words = self._words
        for position in range(end, min(words.size, end + _MAX_WORDS_TO_LINK)):
            norm = words.norms[position]
            if norm in name.needs_link:
                value = self._quantities.scalar(words, position + 1, measure, name)
                if isinstance(value, Quantity):
                    return [value, *self._further.scalars(words, value, measure, name)]
            elif not norm.isalpha():
                break
        return []

    def _leads_to_pair(self, end: int) -> bool:
        position = end + (self._words.at(end) == ":")
        return self._pressure.pair(self._words, position, named=False) is not None

    def _read_pressure(self, name: Name, start: int, end: int) -> bool:
        words, pressure = self._words, self._pressure
        systolic = self._rules.measures[SYSTOLIC]

        def pair(position: int) -> Quantity | int | None:
            reading = pressure.pair(words, position, named=True, millimetres=name.millimetres)
            if reading is not None:
                return reading.systolic
            if name.needs_pair:
                return self._quantities.skip_non_value(words, position) or None
            return pressure.single(words, position)

        result = self._search.find(words, end, systolic, name, pair)
        if result is None:
            return False
        value, comparator = result
        reading = pressure.pair(words, value.first, named=True, millimetres=name.millimetres)
        after = reading.diastolic.after if reading is not None else value.after
        if self._context.is_threshold(words, start, comparator, value.first, after):
            self._used.update(range(value.first, after))
            return True
        if reading is None:
            self._add([value._replace(comparator=comparator)])
            return True
        self._add([part._replace(comparator=comparator) for part in reading.values])
        for following in pressure.series(words, reading):
            self._add(list(following.values))
        return True
