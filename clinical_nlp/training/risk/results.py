"""Everything a training run measured, as plain values: ``metrics.json`` and predictions."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.training.risk.clinical_utility import alerts_with_intervals, decision_curve
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import Vector, calibration_curve
from clinical_nlp.training.risk.recipe import FitRecipe
from clinical_nlp.training.risk.subgroups import group_keys, subgroups

#: Thresholds told besides the lower bounds of the published bands.
THRESHOLDS = (0.02, 0.05)


def clinical_use(
    test: Data,
    languages: Sequence[str],
    probabilities: Mapping[str, Vector],
    table: FeatureTable,
    recipe: FitRecipe,
) -> dict[str, Any]:
    """Calibration curve, alerts, decision curve and subgroups of the test patients.

    Parameters
    ----------
    probabilities
        By model; ``"model"`` is the one that ships.
    """
    probability = probabilities["model"]
    bands = load_bands()
    bounds = sorted({*[band.lower for band in bands][1:], *THRESHOLDS})
    return {
        "calibration": [
            {"predicted": p, "observed": o, "weight": w}
            for p, o, w in calibration_curve(test.outcome, probability, test.weight)
        ],
        "alerts": [
            {
                "threshold": bound,
                **alerts_with_intervals(
                    test.outcome,
                    probability,
                    test.weight,
                    test.patients,
                    bound,
                    recipe.bootstrap,
                    recipe.seed,
                ),
            }
            for bound in bounds
        ],
        "decision_curve": decision_curve(
            test.outcome,
            {name: probabilities[name] for name in ("model", "age and sex only")},
            test.weight,
        ),
        "worklist_threshold": bands.worklist_threshold,
        "subgroups": subgroups(
            group_keys(test.timelines, languages, table),
            test.outcome,
            probability,
            test.weight,
            test.patients,
            bands.worklist_threshold,
            recipe.bootstrap,
            recipe.seed,
        ),
    }


def predictions(
    test: Data,
    languages: Sequence[str],
    probability: Vector,
    table: FeatureTable,
    salt: str,
    rivals: Mapping[str, Vector] | None = None,
) -> dict[str, Any]:
    """Out-of-sample predictions of the test patients, without anybody's id or words.

    ``rivals`` are other models' probabilities of the same rows, by digest; those may have been
    trained on these patients. Two models trained on the same cohort with the same
    salt have the same keys, so that they can be compared patient by patient.
    """

    def keyed(text: str) -> str:
        return hmac.new(salt.encode(), text.encode(), hashlib.sha256).hexdigest()[:16]

    people = [keyed(patient) for patient in test.patients.tolist()]
    days = [
        keyed(f"{patient}|{timeline.as_of}")
        for patient, timeline in zip(test.patients.tolist(), test.timelines, strict=True)
    ]
    return {
        "salt_digest": hashlib.sha256(salt.encode()).hexdigest()[:16],
        "columns": {
            "patient": people,
            "index": days,
            "outcome": test.outcome.tolist(),
            "weight": [round(w, 6) for w in test.weight.tolist()],
            "probability": [round(p, 6) for p in probability.tolist()],
            **group_keys(test.timelines, languages, table),
        },
        "rivals": {
            digest: [round(p, 6) for p in values.tolist()]
            for digest, values in (rivals or {}).items()
        },
    }


def plain(value: Any) -> Any:  # noqa: ANN401  # any value that JSON can hold
    """Values as JSON has them: rounded to six decimals, what is not finite is null."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def as_json(value: Mapping[str, Any]) -> str:
    """Plain values as JSON text, keys in order."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def predictions_text(value: Mapping[str, Any]) -> str:
    """Predictions as JSON text, a column a line: a line a number would be a long file."""
    columns: Mapping[str, Any] = value["columns"]
    lines = [f"  {json.dumps(name)}: {_row(column)}" for name, column in sorted(columns.items())]
    rest = {key: item for key, item in sorted(value.items()) if key != "columns"}
    told = [f" {json.dumps(key)}: {_row(item)}" for key, item in rest.items()]
    body = ",\n".join([' "columns": {\n' + ",\n".join(lines) + "\n }", *told])
    return "{\n" + body + "\n}\n"


def _row(value: Any) -> str:  # noqa: ANN401  # any JSON value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
