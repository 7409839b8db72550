"""Inputs and outputs of the served model: MLflow's signature and an input example."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from clinical_nlp.records import CodedEvent, Coding, EventKind, Note, PatientRecord, Sex
from clinical_nlp.records.codec import record_to_json

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

#: Input columns: a patient's record as JSON, and the index date (ISO 8601).
RECORD, AS_OF = "record", "as_of"

#: Output columns, one row per patient, in order.
OUTPUTS = (
    ("status", "string"),
    ("probability", "double"),
    ("low", "double"),
    ("high", "double"),
    ("band", "string"),
    ("reasons", "string"),
    ("missing", "string"),
    ("abstention", "string"),
    ("model_digest", "string"),
)


def signature() -> ModelSignature:
    """Return the declared signature: outputs other than status and digest may be missing."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    inputs = Schema([ColSpec(DataType.string, name) for name in (RECORD, AS_OF)])
    outputs = Schema(
        [
            ColSpec(DataType[kind], name, required=name in ("status", "model_digest"))
            for name, kind in OUTPUTS
        ]
    )
    return ModelSignature(inputs=inputs, outputs=outputs)


def example_input() -> pd.DataFrame:
    """Return the row of an invented patient."""
    import pandas as pd

    record = PatientRecord(
        "ejemplo",
        Sex.FEMALE,
        date(1943, 5, 2),
        notes=(
            Note(
                "DocumentReference/ejemplo-1",
                "ejemplo",
                "Disnea de esfuerzo desde hace dos meses. Edemas maleolares. Niega ortopnea.",
                datetime(2024, 3, 4, 10, 30),
            ),
        ),
        events=(
            CodedEvent(
                EventKind.CONDITION,
                "Condition/ejemplo-1",
                (Coding("http://hl7.org/fhir/sid/icd-10", "I10"),),
                date(2016, 2, 1),
            ),
        ),
    )
    return pd.DataFrame({RECORD: [record_to_json(record)], AS_OF: ["2024-06-30"]})
