"""``mentions.parquet``: one row a mention of the mention model, without its words.

The words are in the notes, and ``note_sha256`` shows whether ``start`` and ``end`` still hold
for them. A mention may name anything, such as a rare disease that identifies a person;
``findings.parquet`` holds words of the catalogue's concepts only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from clinical_nlp.batch.sinks.findings_table import stable_id
from clinical_nlp.batch.sinks.parquet import ParquetTable
from clinical_nlp.records import PatientResult, RunContext

#: Name of the file in the folder of results.
MENTIONS_FILE = "mentions.parquet"

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
    """A sink that writes one row a mention.

    Parameters
    ----------
    path
        File to write (``DIR/mentions.parquet``).
    context
        What is true of the whole run; goes into the file's metadata.
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
        """Yield one row a mention, in order of note and place."""
        for note_findings in result.notes:
            note = note_findings.note
            if not note_findings.mentions:
                continue
            of_note = {
                "note_id": stable_id(note.patient_id, note.key),
                "patient_id": result.record.id,
                "note": note.key,
                "note_sha256": note.sha256,
            }
            for mention in note_findings.mentions:
                yield {
                    **of_note,
                    "start": mention.start,
                    "end": mention.end,
                    "label": mention.label,
                    "score": mention.score,
                    "concept": mention.concept,
                }
