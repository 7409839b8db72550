"""A page under way: the text, and the tables that are open in it."""

from __future__ import annotations

from fhir_adapters.reading.text.flow import Flow
from fhir_adapters.reading.text.table import Table

#: Tables within tables that are followed; deeper ones are read as blocks, since each level
#: copies its text once.
_MOST_TABLES = 8


class Page:
    """The base text and a stack of open tables.

    Attributes
    ----------
    tables
        Open tables, the innermost last.
    """

    def __init__(self) -> None:
        self.base = Flow()
        self.tables: list[Table] = []

    @property
    def flow(self) -> Flow:
        """Where text goes now."""
        return self.tables[-1].flow if self.tables else self.base

    @property
    def text(self) -> str:
        """The page's text; open tables end."""
        while self.tables:
            self.end_table()
        return self.base.text

    def begin_table(self) -> bool:
        """Open a table; false where it lies too deep and is not followed."""
        if len(self.tables) >= _MOST_TABLES:
            return False
        self.structure()
        self.flow.block()
        self.tables.append(Table(self.flow))
        return True

    def end_table(self) -> None:
        """End the innermost table."""
        if self.tables:
            self.tables.pop().end_row()

    def leave_row(self) -> None:
        """End a row that text follows outside of a cell, so that the order stays."""
        if self.tables and not self.tables[-1].open:
            self.tables[-1].end_row()

    def structure(self) -> None:
        """Note that the open cell holds more than a line of text."""
        if self.tables and self.tables[-1].open:
            self.tables[-1].cells[-1].structured = True
