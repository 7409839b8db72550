"""A Parquet file written row by row in little memory, private to its owner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clinical_nlp.artifacts import open_private, output_errors
from clinical_nlp.records import PatientResult

#: Rows held in memory before they are written: some megabytes at most, and enough for
#: column compression and for readers that skip row groups by their statistics.
ROWS_PER_GROUP = 16_384

#: Names and types of a table's columns, in order.
Columns = Sequence[tuple[str, pa.DataType]]


class ParquetTable(ABC):
    """A sink that writes rows about each patient, in the order the patients come.

    The same rows give the same bytes: row groups are cut by count, and nothing of the
    machine or its clock is written.

    Parameters
    ----------
    path
        File to write; made with mode 0600.
    columns
        Names and types.
    metadata
        Key-value metadata of the file: what is true of the whole run.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E511: the file cannot be written.
    """

    def __init__(self, path: Path, columns: Columns, metadata: Mapping[str, str]) -> None:
        self._name = path.name
        self._written = 0
        self._lost: list[tuple[str, Exception]] = []
        self._group: list[Mapping[str, Any]] = []
        self._schema = pa.schema(columns, metadata=metadata)
        with output_errors(self._name):
            self._file = open_private(path)
        self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd")

    @property
    def lost(self) -> Sequence[tuple[str, Exception]]:
        """Patients of rows that could not be stored, and why."""
        return self._lost

    @abstractmethod
    def rows(self, result: PatientResult) -> Iterable[Mapping[str, Any]]:
        """Return a patient's rows: a value by column name."""

    def write(self, result: PatientResult) -> None:
        """Take one patient's result."""
        for row in list(self.rows(result)):  # all of them or, if one fails, none
            self._group.append(row)
            if len(self._group) >= ROWS_PER_GROUP:
                self._flush()

    def close(self) -> Mapping[str, int]:
        """Write what is left and the file's footer; return the number of rows."""
        with output_errors(self._name):
            if self._group:
                self._flush()
            self._writer.close()
            self._file.close()
        return {self._name: self._written}

    def _flush(self) -> None:
        try:
            table = self._table(self._group)
        except Exception:  # noqa: BLE001 - row by row, to find which it was
            table = pa.concat_tables([self._schema.empty_table(), *self._storable()])
        with output_errors(self._name):
            self._writer.write_table(table)
        self._written += table.num_rows
        self._group = []

    def _table(self, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
        return pa.Table.from_pylist(rows, schema=self._schema)

    def _storable(self) -> Iterator[pa.Table]:
        """Yield the rows that Parquet can hold, and note the others as lost."""
        for row in self._group:
            try:
                yield self._table([row])
            except Exception as error:  # noqa: BLE001 - told of the patient
                self._lost.append((str(row.get("patient_id")), error))
