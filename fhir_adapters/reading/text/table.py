"""Rows of a table → lines: the cells of a row are joined by " | "."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fhir_adapters.reading.text.flow import Flow

#: What stands between two cells of a row.
CELL = " | "
#: Most columns that one cell may span; more come from broken markup.
_MOST_COLUMNS = 40
#: A row with one filled cell longer than this is prose that a table lays out on the page.
_PROSE = 80


@dataclass(slots=True)
class Cell:
    """One cell of a row under way."""

    flow: Flow
    columns: int = 1
    rows: int = 1
    structured: bool = False  # holds a list, a heading or a table


@dataclass(slots=True)
class Table:
    """A table under way; its rows go to ``outer`` as they end."""

    outer: Flow
    cells: list[Cell] = field(default_factory=list)
    open: bool = False  # text goes to the last cell
    spans: dict[int, int] = field(default_factory=dict)  # column → rows that a cell still covers
    ruled: bool | None = None  # rows are set between bars: the first began with an empty cell

    @property
    def flow(self) -> Flow:
        """Where text goes now: the open cell, or around the table."""
        return self.cells[-1].flow if self.open else self.outer

    def begin_cell(self, columns: int = 1, rows: int = 1) -> None:
        """Begin a cell; one that is open ends."""
        self.cells.append(Cell(Flow(), min(max(columns, 1), _MOST_COLUMNS), max(rows, 1)))
        self.open = True

    def end_row(self) -> None:
        """Write the row's cells to the text around the table."""
        cells, self.cells, self.open = self.cells, [], False
        if not cells:
            return
        texts = self._columns([(cell, cell.flow.text) for cell in cells])
        if any(text for _, text in texts):
            if self.ruled is None:
                self.ruled = len(texts) > 1 and not texts[0][1]
            for line in _lines(texts, self.ruled):
                self.outer.block()
                self.outer.write(line, exact=True)
            self.outer.block()

    def _columns(self, cells: list[tuple[Cell | None, str]]) -> list[tuple[Cell | None, str]]:
        """Set empty cells where a cell spans several columns or rows, so that columns agree."""
        if len(cells) == 1 and not self.spans:
            return cells
        columns: list[tuple[Cell | None, str]] = []
        covered, self.spans = self.spans, {}
        for cell, text in cells:
            self._cover(columns, covered)
            if cell is None:
                continue
            if cell.rows > 1:
                for column in range(len(columns), len(columns) + cell.columns):
                    self.spans[column] = cell.rows - 1
            columns.append((cell, text))
            columns.extend((None, "") for _ in range(cell.columns - 1))
        self._cover(columns, covered)
        return columns

    def _cover(self, columns: list[tuple[Cell | None, str]], covered: dict[int, int]) -> None:
        while left := covered.pop(len(columns), 0):
            if left > 1:
                self.spans[len(columns)] = left - 1
            columns.append((None, ""))


def _lines(cells: list[tuple[Cell | None, str]], ruled: bool) -> Iterator[str]:
    """Yield a row as one line, or as several where its cells hold lines of their own.

    Cells with equally many lines ("Disnea⏎Ortopnea" beside "No⏎Sí") are rows that the
    table's author wrote with line breaks. A last cell of several lines keeps them, as text
    of two lines is hardly ever one sentence; within the others, breaks only fold a label.
    """
    filled = [(cell, _split(text)) for cell, text in cells if text]
    if len(filled) == 1 and (len(filled[0][1]) > 1 or len(filled[0][1][0]) > _PROSE):
        yield from filled[0][1]
        return
    counts = {len(lines) for _, lines in filled}
    if len(filled) > 1 and len(counts) == 1 and counts != {1} and not _structured(filled):
        split = [_split(text) or [""] * min(counts) for _, text in cells]
        for row in zip(*split, strict=True):
            yield _join(list(row), ruled)
        return
    last = max(place for place, (_, text) in enumerate(cells) if text)
    line: list[str] = []
    for place, (cell, text) in enumerate(cells):
        several = "\n" in text
        if several and (place == last or (cell is not None and cell.structured)):
            if any(line):
                yield _join(line, ruled)
            line.clear()
            yield text
        elif place <= last or line:
            line.append(" ".join(_split(text)) if several else text)
    if any(line):
        yield _join(line, ruled)


def _split(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def _structured(cells: list[tuple[Cell | None, list[str]]]) -> bool:
    return any(cell is not None and cell.structured for cell, _ in cells)


def _join(cells: list[str], ruled: bool) -> str:
    """Join cells; an empty first one is kept by a bar at the edge."""
    if ruled and len(cells) > 1:
        return f"| {CELL.join(cells)} |"
    edge = "" if cells[0] else "| "
    return (edge + CELL.join(cells)).strip(" ")
