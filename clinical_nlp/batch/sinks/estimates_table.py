"""``estimates.parquet``: one row a patient, with the reasons and where they come from.

The work list is for reading; this table is what programs and the review notebook open:
every patient of the export, scored or not, with exact probabilities and ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from clinical_nlp.batch.sinks.parquet import ParquetStream
from clinical_nlp.batch.sinks.worklist import is_on_worklist
from clinical_nlp.records import PatientResult, RunContext

_EVIDENCE = pa.struct(
    [
        ("source", pa.string()),
        ("concept", pa.string()),
        ("day", pa.date32()),
        ("start", pa.int32()),
        ("end", pa.int32()),
    ]
)
_REASON = pa.struct(
    [("text", pa.string()), ("contribution", pa.float64()), ("evidence", pa.list_(_EVIDENCE))]
)
COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("patient_id", pa.string()),
    ("age", pa.int32()),
    ("sex", pa.string()),
    ("deceased", pa.bool_()),
    ("notes", pa.int32()),
    ("findings", pa.int32()),
    ("status", pa.string()),
    ("index_date", pa.date32()),
    ("horizon_days", pa.int32()),
    ("probability", pa.float64()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("interval_level", pa.float64()),
    ("uncertainty", pa.string()),
    ("band", pa.string()),
    ("on_worklist", pa.bool_()),
    ("reasons", pa.list_(_REASON)),
    ("missing", pa.list_(pa.string())),
    ("abstention", pa.string()),
    ("model_name", pa.string()),
    ("model_version", pa.string()),
    ("model_uri", pa.string()),
    ("model_digest", pa.string()),
)


class EstimatesTable:
    """A sink that writes every patient's estimate as one row, in the order they come.

    Parameters
    ----------
    path
        File to write (``DIR/estimates.parquet``).
    context
        What is true of the whole run.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E511: the file cannot be written.
    """

    def __init__(self, path: Path, context: RunContext) -> None:
        metadata = {
            "software": f"clinical-nlp {context.software}",
            "as_of": context.as_of.isoformat(),
            "worklist_threshold": repr(context.worklist_threshold),
        }
        self._stream = ParquetStream(path, pa.schema(COLUMNS, metadata=metadata))
        self._context = context

    def write(self, result: PatientResult) -> None:
        """Take one patient's estimate."""
        record, estimate = result.record, result.estimate
        low, high = estimate.interval or (None, None)
        self._stream.add(
            {
                "patient_id": record.id,
                "age": record.age_on(estimate.index_date),
                "sex": record.sex.value,
                "deceased": record.deceased,
                "notes": len(result.notes),
                "findings": sum(len(n.findings) for n in result.notes),
                "status": estimate.status.value,
                "index_date": estimate.index_date,
                "horizon_days": estimate.horizon_days,
                "probability": estimate.probability,
                "low": low,
                "high": high,
                "interval_level": estimate.interval_level,
                "uncertainty": estimate.uncertainty,
                "band": estimate.band,
                "on_worklist": is_on_worklist(estimate, self._context.worklist_threshold),
                "reasons": [
                    {
                        "text": reason.text,
                        "contribution": reason.contribution,
                        "evidence": [
                            {
                                "source": e.source,
                                "concept": e.concept,
                                "day": e.day,
                                "start": e.start,
                                "end": e.end,
                            }
                            for e in reason.evidence
                        ],
                    }
                    for reason in estimate.reasons
                ],
                "missing": list(estimate.missing),
                "abstention": estimate.abstention,
                "model_name": estimate.model.name,
                "model_version": estimate.model.version,
                "model_uri": estimate.model.uri,
                "model_digest": estimate.model.digest,
            }
        )

    def close(self) -> Mapping[str, int]:
        """Finish the file."""
        self._stream.close()
        return {"estimates.parquet": self._stream.rows}
