"""The model as MLflow's pyfunc: takes a patient's record, returns the batch's estimate.

``mlflow.pyfunc.load_model`` and ``mlflow models serve`` call :func:`_load_pyfunc`, which
MLflow finds by this module's name in the ``MLmodel`` file: no code travels with the model.
"""

from __future__ import annotations

import json
import logging
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import clinical_nlp
from clinical_nlp.errors import InputError, PipelineError
from clinical_nlp.pipeline.assembly import fingerprint
from clinical_nlp.pipeline.document import get_findings
from clinical_nlp.records import ModelReference, NoteFindings, PatientRecord
from clinical_nlp.records.codec import record_from_json
from clinical_nlp.registry.schema import AS_OF, OUTPUTS, RECORD
from clinical_nlp.risk.model import RiskModel

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)


class ServedModel:
    """Reads a record's notes and estimates its risk, with reasons.

    Parameters
    ----------
    model
        Verified and ready to score.
    """

    def __init__(self, model: RiskModel) -> None:
        self._model = model
        self._nlp = clinical_nlp.load()
        if fingerprint(self._nlp) != model.spec.pipeline:
            _log.warning(
                "The model was trained on notes read by another version of the pipeline "
                "(%s): train it again, or compare the two with 'clinical-nlp drift'.",
                model.spec.pipeline[:12],
            )

    def predict(
        self,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # MLflow's interface
    ) -> pd.DataFrame:
        """Estimate each row's patient.

        Parameters
        ----------
        model_input
            Columns ``record`` (JSON, see :mod:`clinical_nlp.records.codec`) and
            ``as_of`` (ISO 8601 day).

        Returns
        -------
        pandas.DataFrame
            Columns of :data:`~clinical_nlp.registry.schema.OUTPUTS`; ``reasons`` and
            ``missing`` are JSON arrays, since a signature has no lists that may be empty.

        Raises
        ------
        InputError
            E271: a record cannot be read. E272: a day cannot be.
        PipelineError
            E391: the pipeline failed on a note.
        """
        import pandas as pd

        rows = [
            self._row(record_from_json(text), _day(day))
            for text, day in zip(model_input[RECORD], model_input[AS_OF], strict=True)
        ]
        # dtype object keeps None, which is JSON's null; NaN is not JSON.
        return pd.DataFrame(rows, columns=[name for name, _ in OUTPUTS], dtype=object)

    def _row(self, record: PatientRecord, as_of: date) -> tuple[Any, ...]:
        notes = tuple(NoteFindings(note, self._read(note.text)) for note in record.notes)
        (estimate,) = self._model.estimate([(record, notes)], as_of)
        low, high = estimate.interval or (None, None)
        return (
            estimate.status.value,
            estimate.probability,
            low,
            high,
            estimate.band,
            json.dumps([reason.text for reason in estimate.reasons], ensure_ascii=False),
            json.dumps(list(estimate.missing), ensure_ascii=False),
            estimate.abstention,
            estimate.model.digest,
        )

    def _read(self, text: str) -> tuple[Any, ...]:
        try:
            return get_findings(self._nlp(text))
        except Exception as error:  # noqa: BLE001  # its message may quote the note
            raise PipelineError(
                "E391",
                f"the pipeline failed on a note ({type(error).__name__}): leave the note out, "
                "and report the error with an invented text that shows it.",
            ) from None


def _day(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise InputError(
            "E272", f"'{AS_OF}' is not a day: write it as in 2024-06-30, beside the record."
        ) from None


def _load_pyfunc(data_path: str) -> ServedModel:
    """Load the model whose data MLflow points at; MLflow calls this.

    Raises
    ------
    ModelError
        E412: the environment names another digest in ``CLINICAL_NLP_MODEL_DIGEST``. E413
        to E416: the model cannot be trusted or used.
    """
    from clinical_nlp.registry.artifact import DATA, expected_digest, read_parts

    folder = Path(data_path).parents[len(DATA.parts) - 1]
    digest = expected_digest(folder)
    parts = read_parts(folder)
    return ServedModel(RiskModel(parts, ModelReference("hf-risk", "", "", digest)))
