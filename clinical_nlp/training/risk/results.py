"""Everything a training run measured: ``metrics.json`` and ``predictions.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.training.risk.arrays import Vector
from clinical_nlp.training.risk.calibration import calibration_curve
from clinical_nlp.training.risk.clinical_utility import alerts_with_intervals, decision_curve
from clinical_nlp.training.risk.cross_fitting import FittedModels
from clinical_nlp.training.risk.dataset import Cohort, Data
from clinical_nlp.training.risk.model_selection import Selection
from clinical_nlp.training.risk.recipe import FitRecipe, Recipe
from clinical_nlp.training.risk.split import CohortSplit
from clinical_nlp.training.risk.subgroups import age_bands, group_keys, subgroups

#: Thresholds reported besides the lower bounds of the published bands.
THRESHOLDS = (0.02, 0.05)


def cohort_report(
    cohort: Cohort,
    split: CohortSplit,
    recipe: Recipe,
    pipeline: str,
    description: str,
    table: FeatureTable,
) -> dict[str, Any]:
    """Who was trained on, and who was left out."""
    return {
        "name": recipe.name,
        "cohort": description,
        "days": [str(day) for day in cohort.days],
        "patients": cohort.patients,
        "patients_read": cohort.read,
        "notes": cohort.notes,
        "left_out": dict(sorted(cohort.left_out.items())),
        "parts": {"everyone": split.sizes()},
        "prevalence": float(np.average(split.data.outcome, weights=split.data.weight)),
        "outcome": recipe.cohort.outcome,
        "data_fingerprint": cohort.fingerprint,
        "codes": dict(cohort.codes),
        "pipeline": pipeline,
        "feature_table": table.digest,
        "feature_table_version": table.version,
        "features": len(table.names),
    }


def selection_report(selection: Selection, models: FittedModels, train: Data) -> dict[str, Any]:
    """How the model was selected, and how the families do within age bands."""
    return {
        "family": selection.winner.name,
        "nested": [
            {
                "name": result.name,
                "loss": result.loss,
                "worse": result.excess,
                "error": result.error,
                "settings": list(result.settings),
                "setting": models.by_name[result.name].setting,
                "chosen": result.name == selection.winner.name,
            }
            for result in selection.results
        ],
        "age_bands": age_bands(
            {result.name: result.log_odds for result in selection.results},
            [timeline.age or 0 for timeline in train.timelines],
            train.outcome,
            train.weight,
        ),
    }


def clinical_use(
    test: Data,
    languages: Sequence[str],
    probabilities: Mapping[str, Vector],
    table: FeatureTable,
    recipe: FitRecipe,
) -> dict[str, Any]:
    """Calibration curve, alerts, decision curve and subgroups, out of fold.

    Parameters
    ----------
    probabilities
        By model; ``"model"`` is the one that ships.
    """
    outcome, weight, patients = test.outcome, test.weight, test.patients
    probability, draws = probabilities["model"], (recipe.bootstrap, recipe.seed)
    bands = load_bands()
    thresholds = sorted({*[band.lower for band in bands][1:], *THRESHOLDS})
    curve = calibration_curve(outcome, probability, weight)
    compared = {name: probabilities[name] for name in ("model", "age and sex only")}
    groups = group_keys(test.timelines, languages, table)
    return {
        "calibration": [{"predicted": p, "observed": o, "weight": w} for p, o, w in curve],
        "alerts": [
            {
                "threshold": at,
                **alerts_with_intervals(outcome, probability, weight, patients, at, *draws),
            }
            for at in thresholds
        ],
        "decision_curve": decision_curve(outcome, compared, weight),
        "worklist_threshold": bands.worklist_threshold,
        "subgroups": subgroups(
            groups, outcome, probability, weight, patients, bands.worklist_threshold, *draws
        ),
    }


def coefficients(parts: ModelArtifacts, table: FeatureTable) -> dict[str, float]:
    """Calibrated log-odds per standard deviation of each feature; empty if not linear."""
    if parts.spec.family != "logistic":
        return {}
    classifier: Any = parts.classifier
    scaled = parts.spec.calibration[0] * classifier[-1].coef_[0]
    return dict(zip(table.names, scaled.tolist(), strict=True))


def to_plain(value: Any) -> Any:  # noqa: ANN401  # any value that JSON can hold
    """Values as JSON has them: rounded to six decimals; not finite is null."""
    if is_dataclass(value) and not isinstance(value, type):
        return to_plain(asdict(value))
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def metrics_to_json(metrics: Mapping[str, Any]) -> str:
    """Plain values as JSON text, keys in order."""
    return json.dumps(metrics, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def predictions_to_json(predictions: Mapping[str, Any]) -> str:
    """Predictions as JSON text, one column per line: a line per number would be a long file."""
    columns = sorted(predictions["columns"].items())
    others = sorted((key, item) for key, item in predictions.items() if key != "columns")
    body = ",\n".join(f"  {json.dumps(name)}: {_compact(column)}" for name, column in columns)
    parts = [f' "columns": {{\n{body}\n }}']
    parts += [f" {json.dumps(key)}: {_compact(item)}" for key, item in others]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _compact(value: Any) -> str:  # noqa: ANN401  # any JSON value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
