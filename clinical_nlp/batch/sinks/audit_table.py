"""``audit.parquet``: one audit record for each estimate, to be archived.

Holds what Regulation (EU) 2024/1689 asks of a high-risk system's logs (Articles 12,
19 and 26(6); docs/how-to/governance.md): which input, which model, which threshold, which output.
Who reviewed it is added to the archive when somebody has (``clinical-nlp audit review``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from clinical_nlp.batch.sinks.estimates_table import estimate_columns
from clinical_nlp.batch.sinks.parquet import ParquetTable
from clinical_nlp.records import PatientRecord, PatientResult, RunContext
from clinical_nlp.records.codec import record_to_json

COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("estimate_id", pa.string()),
    ("patient_id", pa.string()),
    ("input_sha256", pa.string()),
    ("index_date", pa.date32()),
    ("horizon_days", pa.int32()),
    ("software", pa.string()),
    ("pipeline", pa.string()),
    ("model_name", pa.string()),
    ("model_version", pa.string()),
    ("model_digest", pa.string()),
    ("threshold", pa.float64()),
    ("status", pa.string()),
    ("probability", pa.float64()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("band", pa.string()),
    ("usual", pa.float64()),
    ("frequency", pa.string()),
    ("on_worklist", pa.bool_()),
    ("reasons", pa.list_(pa.string())),
    ("advice", pa.list_(pa.string())),
    ("abstention", pa.string()),
)


class AuditTable(ParquetTable):
    """A sink that writes one audit record an estimate.

    Parameters
    ----------
    path
        File to write (``DIR/audit.parquet``).
    context
        What is true of the whole run.
    """

    def __init__(self, path: Path, context: RunContext) -> None:
        metadata = {"as_of": context.as_of.isoformat(), "model": context.model.digest}
        super().__init__(path, COLUMNS, metadata)
        self._context = context

    def rows(self, result: PatientResult) -> Iterator[dict[str, Any]]:
        """Yield the record of a patient's estimate."""
        estimate, context = result.estimate, self._context
        row = {
            **estimate_columns(estimate, context.worklist_threshold),
            "input_sha256": input_digest(result.record),
            "software": context.software,
            "pipeline": context.pipeline,
            "threshold": context.worklist_threshold,
            "reasons": [reason.text for reason in estimate.reasons],
            "advice": list(estimate.advice),
        }
        content = json.dumps(row, default=str, sort_keys=True)
        yield {"estimate_id": hashlib.sha256(content.encode()).hexdigest()[:32], **row}


def input_digest(record: PatientRecord) -> str:
    """Hex SHA-256 of a patient's record: notes, codes, dates.

    Equal digests show that two estimates had the same input, and nothing of its content.
    """
    return hashlib.sha256(record_to_json(record).encode()).hexdigest()
