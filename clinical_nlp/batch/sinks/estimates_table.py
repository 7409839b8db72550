"""``estimates.parquet``: one row per patient, with the reasons and their evidence.

The work list is for people; this table is for programs and the review notebook: every
patient of the export, scored or not, with exact probabilities and ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from clinical_nlp.batch.sinks.parquet import ParquetTable
from clinical_nlp.records import (
    EstimateStatus,
    Evidence,
    ModelReference,
    PatientResult,
    Reason,
    RiskEstimate,
    RunContext,
    is_on_worklist,
)

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
    ("usual", pa.float64()),
    ("frequency", pa.string()),
    ("on_worklist", pa.bool_()),
    ("reasons", pa.list_(_REASON)),
    ("advice", pa.list_(pa.string())),
    ("missing", pa.list_(pa.string())),
    ("abstention", pa.string()),
    ("model_name", pa.string()),
    ("model_version", pa.string()),
    ("model_uri", pa.string()),
    ("model_digest", pa.string()),
)


class EstimatesTable(ParquetTable):
    """A sink that writes every patient's estimate as one row.

    Parameters
    ----------
    path
        File to write (``DIR/estimates.parquet``).
    context
        What is true of the whole run.
    """

    def __init__(self, path: Path, context: RunContext) -> None:
        metadata = {
            "software": f"clinical-nlp {context.software}",
            "as_of": context.as_of.isoformat(),
            "worklist_threshold": repr(context.worklist_threshold),
        }
        super().__init__(path, COLUMNS, metadata)
        self._threshold = context.worklist_threshold

    def rows(self, result: PatientResult) -> Iterator[dict[str, Any]]:
        """Yield the one row of a patient."""
        record, estimate = result.record, result.estimate
        yield {
            **estimate_columns(estimate, self._threshold),
            "age": record.age_on(estimate.index_date),
            "sex": record.sex.value,
            "deceased": record.deceased,
            "notes": len(result.notes),
            "findings": sum(len(n.findings) for n in result.notes),
            "interval_level": estimate.interval_level,
            "uncertainty": estimate.uncertainty,
            "reasons": [asdict(reason) for reason in estimate.reasons],
            "advice": list(estimate.advice),
            "missing": list(estimate.missing),
            "model_uri": estimate.model.uri,
        }


def estimate_columns(estimate: RiskEstimate, threshold: float) -> dict[str, Any]:
    """Columns of an estimate that ``audit.parquet`` has too."""
    low, high = estimate.interval or (None, None)
    return {
        "patient_id": estimate.patient_id,
        "index_date": estimate.index_date,
        "horizon_days": estimate.horizon_days,
        "model_name": estimate.model.name,
        "model_version": estimate.model.version,
        "model_digest": estimate.model.digest,
        "status": estimate.status.value,
        "probability": estimate.probability,
        "low": low,
        "high": high,
        "band": estimate.band,
        "usual": estimate.usual,
        "frequency": estimate.frequency,
        "on_worklist": is_on_worklist(estimate, threshold),
        "abstention": estimate.abstention,
    }


def estimate_from_row(row: Mapping[str, Any]) -> RiskEstimate:
    """Rebuild an estimate from its row of ``estimates.parquet``; ``features`` stay empty.

    Tables of earlier versions have no ``advice``, ``usual`` and ``frequency``.
    """
    return RiskEstimate(
        patient_id=row["patient_id"],
        status=EstimateStatus(row["status"]),
        index_date=row["index_date"],
        horizon_days=row["horizon_days"],
        model=ModelReference(*(row[f"model_{f.name}"] for f in fields(ModelReference))),
        probability=row["probability"],
        band=row["band"],
        reasons=tuple(_reason(reason) for reason in row["reasons"]),
        missing=tuple(row["missing"]),
        abstention=row["abstention"],
        interval=None if row["low"] is None else (row["low"], row["high"]),
        interval_level=row["interval_level"],
        uncertainty=row["uncertainty"],
        advice=tuple(row.get("advice") or ()),
        usual=row.get("usual"),
        frequency=row.get("frequency"),
    )


def _reason(row: Mapping[str, Any]) -> Reason:
    evidence = tuple(Evidence(**one) for one in row["evidence"])
    return Reason(row["text"], row["contribution"], evidence)
