"""A model's predictions for its test patients, as the promotion gate reads them.

``predictions.json`` holds outcomes and probabilities in an order that the rows' content decides:
enough to compare two models row by row, without ids, keys or clinical data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.errors import ModelError
from clinical_nlp.training.risk.arrays import Labels, Vector

_NUMBERS = ("outcome", "weight", "probability")
#: Columns that are no strata; files of earlier versions have keys of the rows, too.
_KEYS = ("patient", "index")


@dataclass(frozen=True, slots=True)
class HeldOutPredictions:
    """Out-of-sample predictions, one row an index day of a test patient.

    Parameters
    ----------
    patient
        Number of the patient within this file, shape (rows,).
    outcome, weight, probability
        Shape (rows,).
    groups
        Level of each row, by group.
    cohort
        Digest of all rows: those of two models pair, in order, only under the same one. Empty
        in files of earlier versions, which do not pair.
    other_models
        Probabilities that other models, by digest, gave the same rows.
    """

    patient: npt.NDArray[np.str_]
    outcome: Labels
    weight: Vector
    probability: Vector
    groups: Mapping[str, npt.NDArray[np.str_]]
    cohort: str
    other_models: Mapping[str, Vector]

    def __len__(self) -> int:
        return len(self.outcome)

    def outcomes(self) -> int:
        """Return the number of rows with the outcome."""
        return int(self.outcome.sum())


def read_predictions(path: Path) -> HeldOutPredictions:
    """Read a ``predictions.json``.

    Raises
    ------
    ModelError
        E434: it is not one, or its columns don't fit each other.
    """
    try:
        return parse_predictions(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ModelError(
            "E434",
            "the model's predictions.json cannot be read, or its columns don't fit each other: "
            "train the model again with 'clinical-nlp train risk'",
        ) from None


def parse_predictions(content: Mapping[str, Any]) -> HeldOutPredictions:
    """Check the content of a ``predictions.json`` and return its columns as arrays.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError
        A column is missing, of another length, or holds impossible values.
    """
    columns: Mapping[str, Sequence[object]] = content["columns"]
    rows = len(columns["outcome"])
    if rows == 0 or any(len(column) != rows for column in columns.values()):
        raise ValueError
    outcome = np.asarray(columns["outcome"], dtype=np.int_)
    weight, probability = (np.asarray(columns[n], dtype=np.float64) for n in _NUMBERS[1:])
    other_models = {
        str(digest): np.asarray(column, dtype=np.float64)
        for digest, column in dict(content.get("rivals") or {}).items()
    }
    if (
        not np.isin(outcome, (0, 1)).all()
        or not all(((p >= 0) & (p <= 1)).all() for p in (probability, *other_models.values()))
        or not (np.isfinite(weight) & (weight > 0)).all()
        or any(len(column) != rows for column in other_models.values())
    ):
        raise ValueError
    return HeldOutPredictions(
        patient=np.asarray(columns["patient"], dtype=np.str_),
        outcome=outcome,
        weight=weight,
        probability=probability,
        groups={
            name: np.asarray(column, dtype=np.str_)
            for name, column in columns.items()
            if name not in (*_NUMBERS, *_KEYS)
        },
        cohort=str(content.get("cohort") or ""),
        other_models=other_models,
    )


@dataclass(frozen=True, slots=True)
class PairedPredictions:
    """Two models' predictions of the same rows.

    Parameters
    ----------
    rows
        The challenger's rows.
    champion
        The champion's probability of each.
    shared
        Share of the challenger's test rows that these are (0..1).
    """

    rows: HeldOutPredictions
    champion: Vector
    shared: float


def pair_with_champion(
    challenger: HeldOutPredictions, champion: HeldOutPredictions | None, digest: str
) -> PairedPredictions:
    """Pair the challenger's predictions with the champion's.

    If the challenger's training scored the champion too, its record of that is used. Else both
    must have predicted the same rows, which then stand in the same order.

    Parameters
    ----------
    champion
        The champion's own predictions; ``None`` where it was registered without any.
    digest
        The champion's digest.
    """
    if digest in challenger.other_models:
        return PairedPredictions(challenger, challenger.other_models[digest], 1.0)
    if (
        champion is None
        or not champion.cohort
        or champion.cohort != challenger.cohort
        or not np.array_equal(champion.outcome, challenger.outcome)
    ):
        return PairedPredictions(_take(challenger, np.arange(0)), np.zeros(0), 0.0)
    return PairedPredictions(challenger, champion.probability, 1.0)


def _take(predictions: HeldOutPredictions, rows: npt.NDArray[np.intp]) -> HeldOutPredictions:
    columns = {name: getattr(predictions, name)[rows] for name in ("patient", *_NUMBERS)}
    return replace(
        predictions,
        **columns,
        groups={name: levels[rows] for name, levels in predictions.groups.items()},
        other_models={name: p[rows] for name, p in predictions.other_models.items()},
    )
