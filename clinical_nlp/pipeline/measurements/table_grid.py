"""The cells of a table by what they are: headers, labels, units, days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

from clinical_nlp.pipeline.document_layout import Table
from clinical_nlp.pipeline.measurements.measurement_rules import (
    DIASTOLIC,
    SYSTOLIC,
    MeasurementRules,
    Name,
)
from clinical_nlp.pipeline.measurements.table_cells import Cells, Clip, Label
from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.pipeline.written_dates import date_in

_MOST_HEADERS = 4  # rows above the first values
_LONGEST_TITLE = 10  # words
_NO_LABEL = Label()


class Grid:
    """One table.

    Parameters
    ----------
    rules
        Names and units.
    cells
        Reader of the text's cells.
    words
        The text.
    table
        The table, as ``es_layout`` found it.
    """

    def __init__(self, rules: MeasurementRules, cells: Cells, words: Words, table: Table) -> None:
        self._rules, self._cells, self._words, self._table = rules, cells, words, table
        self.rows = [[cells.clip(span) for span in row] for row in table.rows]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self._table.columns)

    @cached_property
    def header(self) -> int | None:
        """The row of headers that name most measurements; ``None`` where there is none."""
        best, most = None, 0
        for number, row in enumerate(self.rows[:_MOST_HEADERS]):
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
        row, label = self.rows[number], self._cells.label(cell)
        if not self.is_plain(label):
            return False
        below = (other[column] for other in self.rows[number + 1 :])
        if not any(c is not None and self._cells.starts_with_number(c) for c in below):
            return False
        others = (self._label(other) for other in row[column + 1 :] if other is not None)
        return column > 0 or all(other.names or other.told for other in others)

    def is_plain(self, label: Label) -> bool:
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

    def header_labels(self, header: int) -> list[Label]:
        """Return what the headers name; 'Max' and 'Min' side by side are the two pressures."""
        labels = [self._label(cell) for cell in self.rows[header]]
        found = [
            (place, cell.at(cell.first))
            for place, cell in enumerate(self.rows[header])
            if cell is not None and cell.size - cell.first <= len("x.")
        ]
        sides = self._rules.table_sides
        for (first, high), (second, low) in pairwise(found):
            if second == first + 1 and (sides.get(high), sides.get(low)) == (SYSTOLIC, DIASTOLIC):
                for place, concept in ((first, SYSTOLIC), (second, DIASTOLIC)):
                    labels[place] = replace(labels[place], names=((Name(concept),),), told=False)
        return labels

    def is_unit_row(self, row: Sequence[Clip | None]) -> bool:
        """Whether a row holds nothing but units."""
        filled = [cell for cell in row if cell is not None]
        return bool(filled) and all(self.unit_of(cell) for cell in filled)

    def unit_of(self, cell: Clip | None) -> tuple[str, ...]:
        """Return the unit that a cell consists of; empty where it is something else."""
        if cell is None:
            return ()
        bracket = cell.at(cell.first) in ("(", "[")
        length, forms = self._rules.units.at(cell, cell.first + bracket)
        whole = length and cell.first + 2 * bracket + length == cell.size
        return forms[0] if whole else ()

    def row_day(self, number: int) -> str | None:
        """Return the day of a row."""
        if (day := self._table.row_dates[number]) is not None:
            return day
        first = next((cell for cell in self.rows[number] if cell is not None), None)
        return None if first is None else date_in(self._text(first), whole=True)

    def row_label(self, row: Sequence[Clip | None]) -> tuple[int, Label]:
        """Return column and content of a row's label: its first cell that is in words."""
        filled = [(column, cell) for column, cell in enumerate(row) if cell is not None]
        found: tuple[int, Label] | None = None
        for column, cell in filled:
            label = self._cells.label(cell)
            numeric = self._cells.starts_with_number(cell) and not self.is_plain(label)
            if numeric or self.unit_of(cell):
                continue
            if found is None or self.is_plain(label):  # 'BIOQUIMICA | Creatinina | 1,41'
                found = column, label
            if self.is_plain(label):
                break
        if found is not None:
            return found
        return (filled[0][0] if filled else 0), _NO_LABEL

    @cached_property
    def columns(self) -> tuple[list[str | None], set[int]]:
        """The day of each column, and the columns that hold no values of the patient."""
        days: list[str | None] = []
        left_out: set[int] = set()
        no_values = self._rules.no_values
        headers = [self._column_header(place) for place in range(self.width)]
        said = {norm for cell in headers if cell for norm in cell.norms[cell.first : cell.size]}
        if not said.isdisjoint(self._rules.table_results):
            no_values = no_values | self._rules.table_limits  # limits, beside a result
        for place, column in enumerate(self._table.columns):
            header = headers[place]
            day = column.date or (None if header is None else date_in(self._text(header)))
            days.append(day)
            words = set() if header is None else set(header.norms[header.first : header.size])
            if day is None and (column.role in ("range", "unit") or words & no_values):
                left_out.add(place)
        return days, left_out

    @cached_property
    def title_day(self) -> str | None:
        """The day of a short line right above: 'LABORATORIO 12/03/2024'."""
        first = next((cell for row in self.rows for cell in row if cell is not None), None)
        if first is None or not first.first or self._words.is_border(first.first):
            return None
        start = first.first - 1
        while start > 0 and not self._words.starts_line(start):
            start -= 1
        if first.first - start > _LONGEST_TITLE:
            return None
        return date_in(self._words.text_of(start, first.first)[1])

    def _column_header(self, place: int) -> Clip | None:
        """Return the header of a column: the last cell above the first named row."""
        header: Clip | None = None
        for row in self.rows:
            if self.row_label(row)[1].names:
                break
            header = row[place] or header
        return header

    def unit_beside(self, row: Sequence[Clip | None]) -> tuple[str, ...]:
        """Return the unit in a cell of its own; empty where there is none."""
        for cell in row[1:]:
            if unit := self.unit_of(cell):
                return unit
        return ()

    @cached_property
    def title(self) -> Label | None:
        """The measurement that the line above the table names, where it is one."""
        first = next((cell for row in self.rows for cell in row if cell is not None), None)
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
