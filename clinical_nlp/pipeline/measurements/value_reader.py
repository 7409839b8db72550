"""Reads the values of one cell whose measurement is known."""

from __future__ import annotations

from clinical_nlp.pipeline.measurements.further_values import FurtherValues
from clinical_nlp.pipeline.measurements.measurement_rules import PRESSURE, Name, Unit
from clinical_nlp.pipeline.measurements.pressure import PressureReader
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity, QuantityReader
from clinical_nlp.pipeline.measurements.text import Words

_PULSE = (40, 170)  # per minute, of a number behind a pressure


class ValueReader:
    """Reads the values that a cell begins with."""

    def __init__(
        self, reader: QuantityReader, pressure: PressureReader, further: FurtherValues
    ) -> None:
        self._rules = reader.rules
        self._reader, self._pressure, self._further = reader, pressure, further

    def in_cell(self, cell: Words, position: int, name: Name, unit: Unit | None) -> list[Quantity]:
        """Return the values at a place of a cell.

        Parameters
        ----------
        cell
            The words of the cell alone.
        name
            What its row or column names.
        unit
            Unit of numbers that are written without one.
        """
        length, signs = self._rules.comparators.at(cell, position)
        comparator = signs[0] if length else None
        position += length
        position += cell.at(position) in ("~", "≈", "±")
        if name.concept == PRESSURE:
            return [
                value._replace(comparator=comparator) for value in self._pressures(cell, position)
            ]
        measure = self._rules.measures[name.concept]
        value = self._reader.scalar(cell, position, measure, name, unit)
        if not isinstance(value, Quantity):
            return []
        first = value._replace(comparator=comparator)
        return [first, *self._further.scalars(cell, first, measure, name)]

    def _pressures(self, cell: Words, position: int) -> list[Quantity]:
        """Read '140/80', '140/80 82', '151/93   146/90'."""
        values: list[Quantity] = []
        reading = self._pressure.pair(cell, position, named=True)
        while reading is not None:
            values += reading.values
            position = reading.diastolic.after
            position += cell.at(position) in (",", ";", "/", "-", "y", "(")
            reading = self._pressure.pair(cell, position, named=False)
        if not values:
            single = self._pressure.single(cell, position)
            return [single] if isinstance(single, Quantity) else []
        pulse = self._reader.number(cell, position)
        low, high = _PULSE
        if pulse is not None and pulse.whole is not None and low <= pulse.whole <= high:
            form, after = self._reader.unit(cell, pulse.end)
            if not form or form in self._rules.measures["heart_rate"].units:
                values.append(
                    Quantity("heart_rate", float(pulse.whole), position, pulse.end, after)
                )
        return values
