"""A Parquet file written row by row in little memory, private to its owner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clinical_nlp.artifacts import open_private, output_errors
from clinical_nlp.records import PatientResult

#: Patients whose rows make a row group: some megabytes in memory at most, and enough for column
#: compression and for readers that skip row groups by their statistics.
PATIENTS_PER_GROUP = 2_000

#: Names and types of a table's columns, in order.
Columns = Sequence[tuple[str, pa.DataType]]


class ParquetTable(ABC):
    """A sink that writes rows about each patient, in the order the patients come.

    The same rows give the same bytes: row groups are cut by patients, and nothing of the
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
        self._group: list[pa.RecordBatch] = []
        self._schema = pa.schema(columns, metadata=metadata)
        with output_errors(self._name):
            self._file = open_private(path)
        self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd")

    @abstractmethod
    def rows(self, result: PatientResult) -> Iterable[Mapping[str, Any]]:
        """Return a patient's rows: a value by column name."""

    def render(self, result: PatientResult) -> pa.RecordBatch:
        """Return a patient's rows as a batch; fails where Parquet cannot hold one of them."""
        return pa.RecordBatch.from_pylist(list(self.rows(result)), schema=self._schema)

    def append(self, rendered: pa.RecordBatch) -> None:
        """Take a patient's rows."""
        self._group.append(rendered)
        if len(self._group) >= PATIENTS_PER_GROUP:
            self._flush()

    def write(self, result: PatientResult) -> None:
        """Render and append one patient."""
        self.append(self.render(result))

    def dump(self, rendered: pa.RecordBatch) -> bytes:
        """Return a batch in Arrow's format, without its schema."""
        return bytes(rendered.serialize())

    def load(self, data: bytes) -> pa.RecordBatch:
        """Read a batch of this table."""
        return pa.ipc.read_record_batch(pa.py_buffer(data), self._schema)

    def close(self) -> Mapping[str, int]:
        """Write what is left and the file's footer; return the number of rows."""
        with output_errors(self._name):
            if self._group:
                self._flush()
            self._writer.close()
            self._file.close()
        return {self._name: self._written}

    def _flush(self) -> None:
        table = pa.Table.from_batches(self._group, self._schema).combine_chunks()
        self._group = []
        if not table.num_rows:
            return
        with output_errors(self._name):
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._written += table.num_rows
