"""Rows of values: several names, then as many numbers.

``Na/K 138/4,2``, ``TA, FC y sat: 148/82, 76 y 96%``, and tables: names, then rows of as
many values, each with or without its date.
"""

from __future__ import annotations

from clinical_nlp.pipeline.measurements.measurement_rules import PRESSURE, Name
from clinical_nlp.pipeline.measurements.pressure import PressureReader
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity, QuantityReader
from clinical_nlp.pipeline.measurements.text import Words

_JOINS = frozenset({"/", "-", "–", ",", "y", "e", "i", "|"})


class ValueRows:
    """Reads as many values as there are names."""

    def __init__(self, reader: QuantityReader, pressure: PressureReader) -> None:
        self._rules = reader.rules
        self._reader = reader
        self._pressure = pressure

    def values(self, words: Words, name: Name, end: int) -> list[Quantity]:
        """Return the values of a name and the names after it; none where it stands alone.

        Parameters
        ----------
        words
            The text.
        name
            The first name.
        end
            Place of the word after the name.
        """
        names = self._rules.names
        concepts = [name.concept]
        position = self._after_unit(words, end)
        while True:
            start = position + (words.at(position) in _JOINS)
            length, entries = names.at(words, start)
            if not length or entries[0].is_other or entries[0].concept in concepts:
                break
            concepts.append(entries[0].concept)
            position = self._after_unit(words, start + length)
        if len(concepts) == 1:
            return []
        values: list[Quantity] = []
        row = self._row(words, concepts, position)
        while row:
            values += row
            row = self._row(words, concepts, row[-1].after)
        return values

    def _after_unit(self, words: Words, position: int) -> int:
        """Return the place after a unit in brackets: 'Peso (kg) TA (mmHg)'."""
        if words.at(position) not in ("(", "["):
            return position
        length = self._rules.units.at(words, position + 1)[0]
        close = position + 1 + length
        return close + 1 if length and words.at(close) in (")", "]") else position

    def _row(self, words: Words, concepts: list[str], position: int) -> list[Quantity]:
        """Return one value of each concept, in order; none unless all are there."""
        while position < words.size and not words.is_border(position):
            if words.at(position + 1) == ":" and words.at(position + 2).isdigit():
                position += 3  # '08:00'
                continue
            date = self._reader.date(words, position)
            if date and not self._is_pressure_not_date(words, concepts[0], position):
                position = date
            elif words.at(position) in self._rules.between or words.at(position) in _JOINS:
                position += 1
            else:
                break
        values: list[Quantity] = []
        for concept in concepts:
            if values and words.at(position) in _JOINS:
                position += 1
            read = self._one_quantity(words, concept, position)
            if not read:
                return []
            values += read
            position = read[-1].after
        return values

    def _is_pressure_not_date(self, words: Words, concept: str, position: int) -> bool:
        """Whether an apparent date is a pressure in centimetres: no other reading follows."""
        after = self._reader.date(words, position)
        return concept == PRESSURE and not self._one_quantity(words, concept, after)

    def _one_quantity(self, words: Words, concept: str, position: int) -> list[Quantity]:
        if concept == PRESSURE:
            reading = self._pressure.pair(words, position, named=True)
            if reading:
                return list(reading.values)
            single = self._pressure.single(words, position)  # 'Ta' is also the temperature
            warm = isinstance(single, Quantity) and single.concept == "body_temperature"
            return [single] if isinstance(single, Quantity) and warm else []
        measure = self._rules.measures[concept]
        number = self._reader.number(words, position)
        value = measure.value(number, None) if number is not None else None
        if number is None or value is None:
            return []
        form, after = self._reader.unit(words, number.end)
        after = after if form in measure.units else number.end
        return [Quantity(concept, value, number.first, number.end, after)]
