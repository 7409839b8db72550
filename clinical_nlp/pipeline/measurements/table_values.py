"""Values of tables: a name for each row or for each column, in a header or in labels.

``es_layout`` finds the tables, their cells, and the dates of rows and columns; here each cell
gets its measurement and unit from its row's label and its column's header.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from clinical_nlp.pipeline.document_layout import Layout
from clinical_nlp.pipeline.measurements.measurement_rules import (
    DIASTOLIC,
    PRESSURE,
    SYSTOLIC,
    MeasurementRules,
    Name,
    Unit,
)
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity
from clinical_nlp.pipeline.measurements.table_cells import Cells, Clip, Label, of_pressure
from clinical_nlp.pipeline.measurements.table_grid import Grid
from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.pipeline.measurements.value_reader import ValueReader

_LEAST_ROWS = 2  # of a table without names
#: What follows a pressure, and its limits.
_ORDER = ("heart_rate", "oxygen_saturation")
_ORDER_LIMITS = ((35, 200), (70, 100))


@dataclass
class TableReading:
    """The values of the tables of a text, and the words that they account for.

    ``taken`` holds the numbers of rows and columns that are no measurement of the catalogue:
    nothing else may read them.
    """

    values: list[Quantity] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)


class TableValues:
    """Reads the values of tables."""

    def __init__(self, rules: MeasurementRules, reader: ValueReader) -> None:
        self._rules, self._reader = rules, reader

    def read(self, words: Words, layout: Layout) -> TableReading:
        """Return the values of all tables of a layout."""
        reading = TableReading()
        if not layout.tables:
            return reading
        cells = Cells(self._rules, words)
        for table in layout.tables:
            grid = Grid(self._rules, cells, words, table)
            _TableReader(self._rules, self._reader, cells, words, grid).read(reading)
        return reading


class _TableReader:
    """Reads one table."""

    def __init__(
        self,
        rules: MeasurementRules,
        reader: ValueReader,
        cells: Cells,
        words: Words,
        grid: Grid,
    ) -> None:
        self._rules, self._reader, self._cells = rules, reader, cells
        self._words, self._grid = words, grid

    def read(self, reading: TableReading) -> None:
        """Add the values of the table to a reading."""
        header = self._grid.header
        if header is not None:
            self._by_columns(header, self._grid.header_labels(header), reading)
            return
        if any(self._grid.is_plain(self._grid.row_label(row)[1]) for row in self._grid.rows):
            self._by_rows(reading)
            return
        named = self._grid.title
        if named is not None:
            self._by_title(named, reading)
            return
        self._by_order(reading)

    # Names in the header ---------------------------------------------------------------------

    def _by_columns(self, header: int, labels: list[Label], reading: TableReading) -> None:
        units = [label.unit for label in labels]
        for number, row in enumerate(self._grid.rows[header + 1 :], header + 1):
            if self._grid.is_unit_row(row):
                units = [
                    known or self._grid.unit_of(cell)
                    for known, cell in zip(units, row, strict=True)
                ]
                continue
            before: str | None = None
            for column, cell in enumerate(row):
                label = labels[column]
                if cell is None:
                    continue
                if not label.names:
                    if self._grid.rows[header][column] is not None:
                        self._take(cell, reading)
                    continue
                cell = self._number_in(cell, label)
                if cell is None:
                    continue
                day = self._grid.row_day(number)
                before = self._add(cell, label, units[column], day, before, reading)

    def _number_in(self, cell: Clip, label: Label) -> Clip | None:
        """Return the cell from its first number; that of a pressure may stand behind a gap."""
        if self._cells.starts_with_number(cell):
            return cell
        if of_pressure(label.names):
            for place in range(cell.first + 1, cell.size):
                if cell.norms[place][0].isdigit() and len(cell.blank_before(place)) > 1:
                    return Clip(self._words, place, cell.size)
        return None

    # Names in the labels of rows -------------------------------------------------------------

    def _by_rows(self, reading: TableReading) -> None:
        days, left_out = self._grid.columns
        if not any(days):
            days = [self._grid.title_day] * len(days)
        before: str | None = None
        for row in self._grid.rows:
            column, label = self._grid.row_label(row)
            first = row[column] if self._grid.width else None
            if first is None:
                continue
            rest = [(place, c) for place, c in enumerate(row) if c is not None and place > column]
            numbered = any(self._cells.starts_with_number(cell) for _, cell in rest)
            if not numbered and label.end >= first.size:  # the label's own cell holds no value
                # '1,41 mg/dL | Creatinina'
                rest = [
                    (place, c) for place, c in enumerate(row) if c is not None and place < column
                ]
            if not label.names:
                if label.told and not self._cells.starts_with_number(first):
                    for _, cell in rest:
                        self._take(cell, reading)
                continue
            unit = label.unit or self._grid.unit_beside(row)
            if label.end < first.size:  # 'SAT (gafas 2L)94': label and value in one cell
                own = Clip(self._words, label.end, first.size)
                reading.values += self._values(own, label, unit, before)
            for place, cell in rest:
                if place in left_out:
                    self._take(cell, reading)
                elif self._cells.starts_with_number(cell):
                    before = self._add(cell, label, unit, days[place], before, reading)

    # No names but in the line above ----------------------------------------------------------

    def _by_title(self, label: Label, reading: TableReading) -> None:
        for number, row in enumerate(self._grid.rows):
            day = self._grid.row_day(number)
            before: str | None = None
            for column, cell in enumerate(row):
                if cell is None or (column == 0 and self._grid.width > 1):
                    continue
                if (numbers := self._number_in(cell, label)) is not None:
                    before = self._add(numbers, label, (), day, before, reading)

    # No names at all -------------------------------------------------------------------------

    def _by_order(self, reading: TableReading) -> None:
        """Read dated rows whose headers were lost: '01/10 172 102 118 89'.

        Two columns that are a usual pressure in every row are one; pulse and saturation may
        follow in that order, as monitors print them.
        """
        rows = self._grid.rows
        days = [self._grid.row_day(number) for number in range(len(rows))]
        if len(rows) < _LEAST_ROWS or None in days:
            return
        columns = [
            [self._whole(row[place]) for row in rows] for place in range(1, self._grid.width)
        ]
        if len(columns) < 2:
            return
        if not all(
            high is not None and low is not None and self._rules.pressure.is_usual(high, low)
            for high, low in zip(columns[0], columns[1], strict=True)
        ):
            return
        concepts = [SYSTOLIC, DIASTOLIC]
        for concept, (low, high), column in zip(_ORDER, _ORDER_LIMITS, columns[2:], strict=False):
            if not all(value is not None and low <= value <= high for value in column):
                break
            concepts.append(concept)
        for row, day in zip(rows, days, strict=True):
            for concept, cell in zip(concepts, row[1:], strict=False):
                if cell is not None:
                    self._add(cell, Label(((Name(concept),),)), (), day, None, reading)

    def _whole(self, cell: Clip | None) -> int | None:
        """Return the whole number that a cell is; ``None`` where it is anything else."""
        if cell is None or cell.size != cell.first + 1:
            return None
        norm = cell.at(cell.first)
        return int(norm) if norm.isdigit() and len(norm) <= 3 else None

    # Cells -----------------------------------------------------------------------------------

    def _add(
        self,
        cell: Clip,
        label: Label,
        unit: tuple[str, ...],
        day: str | None,
        before: str | None,
        reading: TableReading,
    ) -> str | None:
        """Add the values of a cell; return the concept of the last one."""
        values = list(self._values(cell, label, unit, before))
        reading.values += [value._replace(day=value.day or day) for value in values]
        self._take(cell, reading)
        return values[-1].concept if values else before

    def _take(self, cell: Clip, reading: TableReading) -> None:
        if self._cells.starts_with_number(cell):
            reading.taken.update(
                place for place in range(cell.first, cell.size) if cell.norms[place][0].isdigit()
            )

    def _values(
        self, cell: Clip, label: Label, unit: tuple[str, ...], before: str | None
    ) -> Iterator[Quantity]:
        position = cell.first
        for meanings in label.names:
            position += cell.at(position) in ("/", "-", ",", "|", "y") and position > cell.first
            name = self._meaning(meanings, unit, before)
            if name is None:
                return
            own = self._unit(name, unit)
            if unit and own is None and name.concept != PRESSURE and not self._is_weak(unit):
                return  # 'Carga (%)': of something else
            values = self._reader.in_cell(cell, position, name, own)
            yield from values
            if not values:
                return
            position, before = values[-1].after, values[-1].concept

    def _is_weak(self, unit: tuple[str, ...]) -> bool:
        return unit in self._rules.weak_units

    def _unit(self, name: Name, unit: tuple[str, ...]) -> Unit | None:
        concept = SYSTOLIC if name.concept == PRESSURE else name.concept
        return self._rules.measures[concept].units.get(unit) if unit else None

    def _meaning(
        self, meanings: tuple[Name, ...], unit: tuple[str, ...], before: str | None
    ) -> Name | None:
        """Choose what a name means: by its unit, else by the value before it."""
        fitting = [name for name in meanings if unit and self._unit(name, unit) is not None]
        for name in fitting or meanings:
            if name.after is not None and name.after != before and not fitting:
                continue
            if name.needs_unit and not fitting:
                continue
            return replace(name, needs_unit=False)
        return None
