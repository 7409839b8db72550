"""Values of tables: a name for each row or for each column, in a header or in labels.

``es_layout`` finds the tables, their cells, and the dates of rows and columns; here each cell
gets its measurement and unit from its row's label and its column's header.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from clinical_nlp.pipeline.document_layout import Layout, Table
from clinical_nlp.pipeline.layout.dates import date_in
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
from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.pipeline.measurements.value_reader import ValueReader

_MOST_HEADERS = 4  # rows above the first values
_NO_LABEL = Label()


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
            _Grid(self._rules, self._reader, cells, words, table).read(reading)
        return reading


class _Grid:
    """One table."""

    def __init__(
        self,
        rules: MeasurementRules,
        reader: ValueReader,
        cells: Cells,
        words: Words,
        table: Table,
    ) -> None:
        self._rules, self._reader, self._cells = rules, reader, cells
        self._words, self._table = words, table
        self._rows = [[cells.clip(span) for span in row] for row in table.rows]
        self._width = len(table.columns)

    def read(self, reading: TableReading) -> None:
        """Add the values of the table to a reading."""
        header = self._header
        if header is not None:
            labels = self._with_sides([self._label(cell) for cell in self._rows[header]])
            self._by_columns(header, labels, reading)
            return
        if any(self._is_plain(self._row_label(row)[1]) for row in self._rows):
            self._by_rows(reading)
            return
        named = self._title
        if named is not None:
            self._by_title(named, reading)

    @cached_property
    def _header(self) -> int | None:
        """The row of headers that name most measurements; ``None`` where there is none."""
        best, most = None, 0
        for number, row in enumerate(self._rows[:_MOST_HEADERS]):
            filled = [cell for cell in row if cell is not None]
            labels = [self._cells.label(cell) for cell in filled]
            # 'FC 72': a value of its own; 142/91: the first row of values
            if any(label.end < cell.size for label, cell in zip(labels, filled, strict=True)):
                break
            if any(self._holds_value(cell) for cell in filled):
                break
            named = sum(
                cell is not None and self._is_header(number, column, cell)
                for column, cell in enumerate(row)
            )
            if named > most:
                best, most = number, named
        return best

    def _holds_value(self, cell: Clip) -> bool:
        return self._cells.starts_with_number(cell) and date_in(self._text(cell)) is None

    def _is_header(self, number: int, column: int, cell: Clip) -> bool:
        """Whether a cell names the numbers below it; in the first column also no row's label."""
        row, label = self._rows[number], self._cells.label(cell)
        if not self._is_plain(label):
            return False
        below = (other[column] for other in self._rows[number + 1 :])
        if not any(c is not None and self._cells.starts_with_number(c) for c in below):
            return False
        others = (self._label(other) for other in row[column + 1 :] if other is not None)
        return column > 0 or all(other.names or other.told for other in others)

    def _is_plain(self, label: Label) -> bool:
        """Whether a label names a measurement by itself, and not only beside others."""
        return any(
            not (name.near or name.after or name.then) or name.concept == "body_temperature"
            for names in label.names
            for name in names
        )

    def _text(self, cell: Clip) -> str:
        return self._words.text_of(cell.first, cell.size)[1]

    def _label(self, cell: Clip | None) -> Label:
        return _NO_LABEL if cell is None else self._cells.label(cell)

    def _with_sides(self, labels: list[Label]) -> list[Label]:
        """Take 'Max' and 'Min' beside each other for the two pressures."""
        found = [
            (place, cell.at(cell.first))
            for place, cell in enumerate(self._rows[self._header or 0])
            if cell is not None and cell.size - cell.first <= len("x.")
        ]
        sides = self._rules.table_sides
        for (first, high), (second, low) in pairwise(found):
            if second == first + 1 and (sides.get(high), sides.get(low)) == (SYSTOLIC, DIASTOLIC):
                for place, concept in ((first, SYSTOLIC), (second, DIASTOLIC)):
                    labels[place] = replace(labels[place], names=((Name(concept),),), told=False)
        return labels

    # Names in the header ---------------------------------------------------------------------

    def _by_columns(self, header: int, labels: list[Label], reading: TableReading) -> None:
        units = [label.unit for label in labels]
        for number, row in enumerate(self._rows[header + 1 :], header + 1):
            if self._is_unit_row(row):
                units = [
                    known or self._unit_of(cell) for known, cell in zip(units, row, strict=True)
                ]
                continue
            before: str | None = None
            for column, cell in enumerate(row):
                label = labels[column]
                if cell is None:
                    continue
                if not label.names:
                    if self._rows[header][column] is not None:
                        self._take(cell, reading)
                    continue
                cell = self._number_in(cell, label)
                if cell is None:
                    continue
                day = self._table.row_dates[number] or self._row_day(row)
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

    def _is_unit_row(self, row: Sequence[Clip | None]) -> bool:
        filled = [cell for cell in row if cell is not None]
        return bool(filled) and all(self._unit_of(cell) for cell in filled)

    def _unit_of(self, cell: Clip | None) -> tuple[str, ...]:
        """Return the unit that a cell consists of; empty where it is something else."""
        if cell is None:
            return ()
        bracket = cell.at(cell.first) in ("(", "[")
        length, forms = self._rules.units.at(cell, cell.first + bracket)
        whole = length and cell.first + 2 * bracket + length == cell.size
        return forms[0] if whole else ()

    def _row_day(self, row: Sequence[Clip | None]) -> str | None:
        first = next((cell for cell in row if cell is not None), None)
        return None if first is None else date_in(self._text(first), whole=True)

    # Names in the labels of rows -------------------------------------------------------------

    def _row_label(self, row: Sequence[Clip | None]) -> tuple[int, Label]:
        """Return column and content of a row's label: its first cell that is no date."""
        for column, cell in enumerate(row):
            if cell is not None:
                return column, self._cells.label(cell)
        return 0, _NO_LABEL

    def _by_rows(self, reading: TableReading) -> None:
        days, left_out = self._columns
        before: str | None = None
        for row in self._rows:
            column, label = self._row_label(row)
            first = row[column] if self._width else None
            if first is None:
                continue
            rest = [(place, c) for place, c in enumerate(row) if c is not None and place > column]
            if not label.names:
                if label.told and not self._cells.starts_with_number(first):
                    for _, cell in rest:
                        self._take(cell, reading)
                continue
            unit = label.unit or self._unit_beside(row)
            if label.end < first.size:  # 'SAT (gafas 2L)94': label and value in one cell
                own = Clip(self._words, label.end, first.size)
                reading.values += self._values(own, label, unit, before)
            for place, cell in rest:
                if place in left_out:
                    self._take(cell, reading)
                elif self._cells.starts_with_number(cell):
                    before = self._add(cell, label, unit, days[place], before, reading)

    @cached_property
    def _columns(self) -> tuple[list[str | None], set[int]]:
        """The day of each column, and the columns that hold no values of the patient."""
        days: list[str | None] = []
        left_out: set[int] = set()
        for place, column in enumerate(self._table.columns):
            header = self._column_header(place)
            day = column.date or (None if header is None else date_in(self._text(header)))
            days.append(day)
            words = set() if header is None else set(header.norms[header.first : header.size])
            if day is None and (column.role in ("range", "unit") or words & self._rules.no_values):
                left_out.add(place)
        return days, left_out

    def _column_header(self, place: int) -> Clip | None:
        """Return the header of a column: the last cell above the first named row."""
        header: Clip | None = None
        for row in self._rows:
            if self._row_label(row)[1].names:
                break
            header = row[place] or header
        return header

    def _unit_beside(self, row: Sequence[Clip | None]) -> tuple[str, ...]:
        for cell in row[1:]:
            if unit := self._unit_of(cell):
                return unit
        return ()

    # No names but in the line above ----------------------------------------------------------

    @cached_property
    def _title(self) -> Label | None:
        """The measurement that the line above the table names, where it is one."""
        first = next((cell for row in self._rows for cell in row if cell is not None), None)
        if first is None or not self._words.starts_line(first.first):
            return None
        start = first.first - 1
        while start > 0 and not self._words.starts_line(start):
            start -= 1
        line = Clip(self._words, max(start, 0), first.first)
        names: list[tuple[Name, ...]] = []
        for place in range(line.first, line.size):
            if line.norms[place][0].isdigit():
                return None
            _, entries = self._rules.names.at(line, place)
            usable = tuple(n for n in entries if not (n.needs_link or n.near or n.after or n.then))
            if usable and not usable[0].is_other and usable not in names:
                names.append(usable)
        concepts = {entry[0].concept for entry in names}
        return Label((names[0],)) if len(concepts) == 1 else None

    def _by_title(self, label: Label, reading: TableReading) -> None:
        for number, row in enumerate(self._rows):
            day = self._table.row_dates[number] or self._row_day(row)
            before: str | None = None
            for column, cell in enumerate(row):
                if cell is None or (column == 0 and self._width > 1):
                    continue
                if (numbers := self._number_in(cell, label)) is not None:
                    before = self._add(numbers, label, (), day, before, reading)

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
