"""The layout of a note on its ``Doc``: answered labels and tables.

Plain rows go into ``doc.user_data``, as with :mod:`clinical_nlp.pipeline.document`, so that
the layout survives ``DocBin``, ``to_bytes`` and ``n_process=2``. ``doc._.layout`` builds the
values on access; ``es_layout`` sets them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from spacy.tokens import Doc

#: Code points of the note's text: start, and end exclusive.
Span: TypeAlias = tuple[int, int]

#: What an answer says of its label.
AFFIRMED = "affirmed"
NEGATED = "negated"
UNCERTAIN = "uncertain"
HISTORICAL = "historical"
HYPOTHETICAL = "hypothetical"
#: No answer, or one that says that there is none: 'N/A', 'no explorado', an empty box.
UNKNOWN = "unknown"
#: An answer in words that only the assertion rules can read.
FREE = "free"

_KEY = "clinical_nlp.layout"


@dataclass(frozen=True, slots=True)
class Item:
    """A label of a form with its answer.

    Parameters
    ----------
    label
        Where the label stands: a few words, or a list of findings that share the answer.
    answer
        Where the answer stands, before or after the label; ``None`` where there is none.
    verdict
        What the answer says of the label: :data:`AFFIRMED`, :data:`NEGATED`,
        :data:`UNCERTAIN`, :data:`HISTORICAL`, :data:`HYPOTHETICAL`, :data:`UNKNOWN` or
        :data:`FREE`.
    past
        The answer is of an earlier day than the last of its table.
    relative
        The answer is a relative's.
    """

    label: Span
    answer: Span | None
    verdict: str
    past: bool = False
    relative: bool = False

    @property
    def extent(self) -> Span:
        """From the first to the last code point of label and answer."""
        if self.answer is None:
            return self.label
        return min(self.label[0], self.answer[0]), max(self.label[1], self.answer[1])


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    role
        ``label``, ``date`` (days, one a row), ``value``, ``unit``, ``range`` (reference
        ranges), ``answer`` or ``other``.
    header
        Where its header stands.
    date
        The day that the header names, as far as it does: ``2024-03-12``, ``2024-03``,
        ``2024``, or ``--03-12`` without a year.
    """

    role: str
    header: Span | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table: pipes, tabs, or columns of blanks over consecutive lines.

    Parameters
    ----------
    rows
        The cells of each row, header rows included; one for each column, ``None`` where a
        cell is empty.
    columns
        What each column holds.
    header_rows
        How many of the first rows are headers: 0 or 1.
    row_dates
        The day of each row, as :attr:`Column.date`; ``None`` where a row names none.
    """

    rows: tuple[tuple[Span | None, ...], ...]
    columns: tuple[Column, ...]
    header_rows: int
    row_dates: tuple[str | None, ...]


@dataclass(frozen=True)
class Layout:
    """What a note's layout says: ``items`` in order of their labels, and ``tables``."""

    items: tuple[Item, ...] = ()
    tables: tuple[Table, ...] = ()

    def item_at(self, place: int) -> Item | None:
        """Return the item whose label holds a code point."""
        index = bisect_right(self._starts, place) - 1
        if index < 0:
            return None
        item = self.items[index]
        return item if place < item.label[1] else None

    def is_unanswered(self, place: int) -> bool:
        """Whether a code point stands in the label of an item that has no answer."""
        item = self.item_at(place)
        return item is not None and item.verdict == UNKNOWN

    @cached_property
    def _starts(self) -> list[int]:
        return [item.label[0] for item in self.items]


_EMPTY = Layout()


def get_layout(doc: Doc) -> Layout:
    """Return the layout stored on ``doc``; empty where there is none."""
    stored: dict[str, Any] | None = doc.user_data.get(_KEY)
    if stored is None:
        return _EMPTY
    return Layout(
        tuple(
            Item(_span(label), answer and _span(answer), verdict, past, relative)
            for label, answer, verdict, past, relative in stored["items"]
        ),
        tuple(_table(row) for row in stored["tables"]),
    )


def set_layout(doc: Doc, layout: Layout) -> None:
    """Store a layout on ``doc`` as plain rows; its items are put in order of their labels."""
    if not layout.items and not layout.tables:
        doc.user_data.pop(_KEY, None)
        return
    items = sorted(layout.items, key=lambda item: item.label)
    doc.user_data[_KEY] = {
        "items": [
            [list(i.label), i.answer and list(i.answer), i.verdict, i.past, i.relative]
            for i in items
        ],
        "tables": [
            [
                [[cell and list(cell) for cell in row] for row in table.rows],
                [[c.role, c.header and list(c.header), c.date] for c in table.columns],
                table.header_rows,
                list(table.row_dates),
            ]
            for table in layout.tables
        ],
    }


def _span(stored: Sequence[int]) -> Span:
    return stored[0], stored[1]


def _table(stored: Sequence[Any]) -> Table:
    rows, columns, header_rows, row_dates = stored
    return Table(
        tuple(tuple(cell and _span(cell) for cell in row) for row in rows),
        tuple(Column(role, header and _span(header), date) for role, header, date in columns),
        header_rows,
        tuple(row_dates),
    )


Doc.set_extension("layout", getter=get_layout, setter=set_layout, force=True)
