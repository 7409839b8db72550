"""What a model showed on its test patients, as the promotion gate reads it.

``predictions.json`` holds keyed hashes of patients and index days, outcomes and
probabilities: enough to compare two models patient by patient, and nobody's words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clinical_nlp.errors import ModelError
from clinical_nlp.training.risk.measures import Labels, Vector

_NUMBERS = ("outcome", "weight", "probability")
_KEYS = ("patient", "index")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Out-of-sample predictions, one row an index day of a test patient.

    Parameters
    ----------
    patient, index
        Keyed hashes, shape (rows,).
    outcome, weight, probability
        Shape (rows,).
    groups
        Level of each row, by group.
    salt
        Digest of the key of the hashes: rows of two models pair only under the same one.
    rivals
        What other models, by digest, predicted for the same rows.
    """

    patient: npt.NDArray[np.str_]
    index: npt.NDArray[np.str_]
    outcome: Labels
    weight: Vector
    probability: Vector
    groups: Mapping[str, npt.NDArray[np.str_]]
    salt: str
    rivals: Mapping[str, Vector]

    def __len__(self) -> int:
        return len(self.outcome)

    def outcomes(self) -> int:
        """How many rows have the outcome."""
        return int(self.outcome.sum())


def read_evidence(path: Path) -> Evidence:
    """Read a ``predictions.json``.

    Raises
    ------
    ModelError
        E434: it is not one, or its columns don't fit each other.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
        return _evidence(told)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ModelError(
            "E434",
            "the model's predictions.json cannot be read, or its columns don't fit each other: "
            "train the model again with 'clinical-nlp train risk'",
        ) from None


def _evidence(told: Mapping[str, object]) -> Evidence:
    columns: Mapping[str, Sequence[object]] = told["columns"]  # type: ignore[assignment]  # checked below
    rows = len(columns["outcome"])
    if rows == 0 or any(len(column) != rows for column in columns.values()):
        raise ValueError
    outcome = np.asarray(columns["outcome"], dtype=np.int_)
    weight, probability = (np.asarray(columns[n], dtype=np.float64) for n in _NUMBERS[1:])
    rivals = {
        str(digest): np.asarray(column, dtype=np.float64)
        for digest, column in dict(told.get("rivals") or {}).items()  # type: ignore[call-overload]
    }
    index = np.asarray(columns["index"], dtype=np.str_)
    if (
        not np.isin(outcome, (0, 1)).all()
        or not all(((p >= 0) & (p <= 1)).all() for p in (probability, *rivals.values()))
        or not (np.isfinite(weight) & (weight > 0)).all()
        or any(len(column) != rows for column in rivals.values())
        or len(np.unique(index)) != rows
    ):
        raise ValueError
    return Evidence(
        patient=np.asarray(columns["patient"], dtype=np.str_),
        index=index,
        outcome=outcome,
        weight=weight,
        probability=probability,
        groups={
            name: np.asarray(column, dtype=np.str_)
            for name, column in columns.items()
            if name not in (*_NUMBERS, *_KEYS)
        },
        salt=str(told["salt_digest"]),
        rivals=rivals,
    )


@dataclass(frozen=True, slots=True)
class Pairs:
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

    rows: Evidence
    champion: Vector
    shared: float


def pair(challenger: Evidence, champion: Evidence | None, digest: str) -> Pairs:
    """Bring two models' predictions together.

    By the challenger's own record of what the champion said, where its training scored the
    champion too; else by index day, under the same key and with the same outcome.

    Parameters
    ----------
    champion
        The champion's own predictions; ``None`` where it was registered without any.
    digest
        The champion's digest.
    """
    if digest in challenger.rivals:
        return Pairs(challenger, challenger.rivals[digest], 1.0)
    if champion is None or champion.salt != challenger.salt:
        return Pairs(_take(challenger, np.arange(0)), np.zeros(0), 0.0)
    _, mine, theirs = np.intersect1d(
        challenger.index, champion.index, assume_unique=True, return_indices=True
    )
    same = challenger.outcome[mine] == champion.outcome[theirs]
    mine, theirs = mine[same], theirs[same]
    order = np.argsort(mine)
    mine, theirs = mine[order], theirs[order]
    return Pairs(_take(challenger, mine), champion.probability[theirs], len(mine) / len(challenger))


def _take(evidence: Evidence, rows: npt.NDArray[np.intp]) -> Evidence:
    return Evidence(
        patient=evidence.patient[rows],
        index=evidence.index[rows],
        outcome=evidence.outcome[rows],
        weight=evidence.weight[rows],
        probability=evidence.probability[rows],
        groups={name: levels[rows] for name, levels in evidence.groups.items()},
        salt=evidence.salt,
        rivals={name: column[rows] for name, column in evidence.rivals.items()},
    )
