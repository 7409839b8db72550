"""``mentions.parquet``: one row per mention; text omitted.

The text is in the notes, and ``note_sha256`` shows whether the offsets are still valid. A
mention may name anything, such as a rare disease that identifies a person;
``findings.parquet`` holds text of catalogue concepts only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from clinical_nlp.batch.sinks.findings_table import note_columns
from clinical_nlp.batch.sinks.parquet import ParquetTable
from clinical_nlp.records import PatientResult, RunContext

_OF_MENTION = ("start", "end", "label", "score", "concept")

COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("note_id", pa.int64()),
    ("patient_id", pa.string()),
    ("note", pa.string()),
    ("note_sha256", pa.string()),
    ("start", pa.int32()),
    ("end", pa.int32()),
    ("label", pa.string()),
    ("score", pa.float64()),
    ("concept", pa.string()),
)


class MentionsTable(ParquetTable):
    """A sink that writes one row per mention.

    Parameters
    ----------
    path
        File to write (``DIR/mentions.parquet``).
    context
        Facts of the whole run, for the file's metadata.
    pipeline
        Fingerprint of the pipeline with the mention model; that of ``context`` is without.
    """

    def __init__(self, path: Path, context: RunContext, pipeline: str) -> None:
        metadata = {
            "software": f"clinical-nlp {context.software}",
            "pipeline": pipeline,
            "as_of": context.as_of.isoformat(),
        }
        super().__init__(path, COLUMNS, metadata)

    def rows(self, result: PatientResult) -> Iterator[dict[str, Any]]:
        """Yield one row per mention, by note and offset."""
        for note_findings in result.notes:
            if not note_findings.mentions:
                continue
            of_note = note_columns(note_findings.note, result)
            for mention in note_findings.mentions:
                yield of_note | {name: getattr(mention, name) for name in _OF_MENTION}
