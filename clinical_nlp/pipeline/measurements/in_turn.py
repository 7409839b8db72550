"""Values that are told in turn: several names, then as many numbers.

``Na/K 138/4,2``, ``TA, FC y sat: 148/82, 76 y 96%``; tables, too: names, then rows of as many
values, each with or without its date.
"""

from __future__ import annotations

from clinical_nlp.pipeline.measurements.knowledge import PRESSURE, Knowledge, Name
from clinical_nlp.pipeline.measurements.pressure import PressureReader
from clinical_nlp.pipeline.measurements.reading import Value, ValueReader
from clinical_nlp.pipeline.measurements.text import Words

_JOINS = frozenset({"/", "-", "–", ",", "y", "e", "i", "|"})


class InTurn:
    """Reads as many values as there are names."""

    def __init__(self, knowledge: Knowledge, reader: ValueReader, pressure: PressureReader) -> None:
        self._knowledge = knowledge
        self._reader = reader
        self._pressure = pressure

    def values(self, words: Words, name: Name, end: int) -> list[Value]:
        """Return the values of a name and of those that follow it; none where it stands alone.

        Parameters
        ----------
        words
            The text.
        name
            What was named.
        end
            Place of the word after the name.
        """
        names = self._knowledge.names
        concepts = [name.concept]
        position = end
        while True:
            start = position + (words.at(position) in _JOINS)
            length, entries = names.at(words, start)
            if not length or entries[0].is_other or entries[0].concept in concepts:
                break
            concepts.append(entries[0].concept)
            position = start + length
        if len(concepts) == 1:
            return []
        values: list[Value] = []
        row = self._row(words, concepts, position)
        while row:
            values += row
            row = self._row(words, concepts, row[-1].after)
        return values

    def _row(self, words: Words, concepts: list[str], position: int) -> list[Value]:
        """One value of each concept, in order, from ``position`` on; none unless all are there."""
        while position < words.size and not words.is_border(position):
            date = self._reader.date(words, position)
            if date and not self._is_first(words, concepts[0], position):
                position = date
            elif words.at(position) in self._knowledge.between or words.at(position) in _JOINS:
                position += 1
            else:
                break
        values: list[Value] = []
        for concept in concepts:
            if values and words.at(position) in _JOINS:
                position += 1
            read = self._one(words, concept, position)
            if not read:
                return []
            values += read
            position = read[-1].after
        return values

    def _is_first(self, words: Words, concept: str, position: int) -> bool:
        """Whether what looks like a date is a pressure in centimetres: no second one follows."""
        if concept != PRESSURE:
            return False
        after = self._reader.date(words, position)
        return not self._one(words, concept, after)

    def _one(self, words: Words, concept: str, position: int) -> list[Value]:
        if concept == PRESSURE:
            reading = self._pressure.pair(words, position, named=True)
            return list(reading.values) if reading is not None else []
        measure = self._knowledge.measures[concept]
        number = self._reader.number(words, position)
        value = measure.value(number, None) if number is not None else None
        if number is None or value is None:
            return []
        form, after = self._reader.unit(words, number.end)
        after = after if form in measure.units else number.end
        return [Value(concept, value, number.first, number.end, after)]
