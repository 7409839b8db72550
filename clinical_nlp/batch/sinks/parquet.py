"""A Parquet file written row by row in little memory, private to its owner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clinical_nlp.artifacts import open_private, output_errors

#: Rows held in memory before they go to disk: some megabytes at most, and large enough
#: for column compression and for readers that skip row groups by their statistics.
ROWS_PER_GROUP = 16_384


class ParquetStream:
    """Writes rows to a Parquet file, a row group at a time.

    The same rows give the same bytes: groups are cut by count, and nothing of the
    machine or its clock is written.

    Parameters
    ----------
    path
        File to write; made with mode 0600.
    schema
        Columns, with the file's own metadata.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E511: the file cannot be written.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.rows = 0
        self._path = path
        self._schema = schema
        self._group: list[Mapping[str, Any]] = []
        with output_errors(path.name):
            self._file = open_private(path)
        self._writer = pq.ParquetWriter(self._file, schema, compression="zstd")

    def add(self, row: Mapping[str, Any]) -> None:
        """Take one row: a value by column name."""
        self._group.append(row)
        self.rows += 1
        if len(self._group) >= ROWS_PER_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left and the file's footer."""
        with output_errors(self._path.name):
            if self._group:
                self._flush()
            self._writer.close()
            self._file.close()

    def _flush(self) -> None:
        table = pa.Table.from_pylist(self._group, schema=self._schema)
        with output_errors(self._path.name):
            self._writer.write_table(table)
        self._group = []
