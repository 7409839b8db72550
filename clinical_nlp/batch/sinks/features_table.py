"""``features.parquet``: what the classifier was given of each scored patient.

The drift report compares two of these; a data scientist trains and explains with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from clinical_nlp.batch.sinks.parquet import ParquetStream
from clinical_nlp.records import PatientResult, RunContext


class FeaturesTable:
    """A sink that writes the features of each scored patient as one row.

    Parameters
    ----------
    path
        File to write (``DIR/features.parquet``).
    context
        What is true of the whole run.
    names
        Of the features, in the model's order; a column each, missing values null.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E511: the file cannot be written.
    """

    def __init__(self, path: Path, context: RunContext, names: Sequence[str]) -> None:
        columns = [("patient_id", pa.string()), *((name, pa.float64()) for name in names)]
        metadata = {
            "software": f"clinical-nlp {context.software}",
            "as_of": context.as_of.isoformat(),
            "model": context.model.digest,
        }
        self._stream = ParquetStream(path, pa.schema(columns, metadata=metadata))
        self._names = tuple(names)

    def write(self, result: PatientResult) -> None:
        """Take one patient's features; nothing of a patient who was not scored."""
        values = result.estimate.features
        if values:
            row = {
                name: None if value != value else value  # NaN alone differs from itself
                for name, value in zip(self._names, values, strict=True)
            }
            self._stream.add({"patient_id": result.record.id, **row})

    def close(self) -> Mapping[str, int]:
        """Finish the file."""
        self._stream.close()
        return {"features.parquet": self._stream.rows}
