"""``features.parquet``: the classifier's inputs for each scored patient.

The drift report compares two of these; a data scientist trains and explains with them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from clinical_nlp.batch.sinks.parquet import ParquetTable
from clinical_nlp.records import PatientResult, RunContext


class FeaturesTable(ParquetTable):
    """A sink that writes one row of features a scored patient.

    Parameters
    ----------
    path
        File to write (``DIR/features.parquet``).
    context
        What is true of the whole run.
    names
        Features in the model's order; a column each, missing values null.
    """

    def __init__(self, path: Path, context: RunContext, names: Sequence[str]) -> None:
        columns = [("patient_id", pa.string()), *((name, pa.float64()) for name in names)]
        metadata = {
            "software": f"clinical-nlp {context.software}",
            "as_of": context.as_of.isoformat(),
            "model": context.model.digest,
        }
        super().__init__(path, columns, metadata)
        self._names = tuple(names)

    def rows(self, result: PatientResult) -> Iterator[dict[str, Any]]:
        """Yield one row where the patient was scored."""
        values = result.estimate.features
        if values:
            row = {
                name: None if math.isnan(value) else value
                for name, value in zip(self._names, values, strict=True)
            }
            yield {"patient_id": result.record.id, **row}
