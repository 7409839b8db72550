"""A small model with its evidence, made in a moment: no simulation, no training run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clinical_nlp.artifacts import MODEL_FOLDER
from clinical_nlp.registry.artifact import save_model
from clinical_nlp.registry.manifest import write_manifest
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.model_artifacts import ENSEMBLE, ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec

#: A card with every section that the gate asks for.
CARD = "**Trained on numbers drawn at random. Not for clinical use.**\n\n" + "\n\n".join(
    f"## {heading}\n\nWords."
    for heading in (
        "What it is",
        "Intended use",
        "Human oversight",
        "Who it was trained on",
        "How good",
        "Calibration",
        "Subgroups",
        "Limits",
        "Energy",
        "Reproduce",
    )
)


def small_parts(seed: int = 0, pipeline: str = "0" * 64) -> ModelArtifacts:
    """A logistic model in which age, dyspnoea and NT-proBNP count."""
    table = load_features()
    generator = np.random.default_rng(seed)
    rows = generator.normal(0, 1, (400, len(table.names)))
    rows[:, table.names.index("age")] = generator.normal(70, 10, 400)
    rows[generator.random(rows.shape) < 0.1] = np.nan
    signal = np.nan_to_num(rows[:, table.names.index("age")] - 70) / 10
    outcome = generator.random(400) < 1 / (1 + np.exp(1.5 - signal))
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())
    model.fit(rows, outcome)
    coefficients = np.append(model[-1].coef_[0], model[-1].intercept_)
    members = coefficients + generator.normal(0, 0.05, (20, len(coefficients)))
    spec = ModelSpec(
        features=table.names,
        table_digest=table.digest,
        reference=tuple(np.nanmedian(rows, axis=0).tolist()),
        horizon_days=365,
        gap_days=30,
        min_age=40,
        max_age=100,
        prevalence=0.02,
        cohort="numbers drawn at random for a test",
        pipeline=pipeline,
        calibration=(0.9, -2.0),
    )
    return ModelArtifacts(model, spec, {ENSEMBLE: members})


def small_folder(
    folder: Path,
    parts: ModelArtifacts | None = None,
    predictions: dict | None = None,
    metrics: dict | None = None,
    card: str = CARD,
) -> str:
    """Write what ``clinical-nlp train risk`` writes; return the digest."""
    folder.mkdir(parents=True, exist_ok=True)
    save_model(parts or small_parts(), folder / MODEL_FOLDER)
    (folder / "card.md").write_text(card, "utf-8")
    (folder / "metrics.json").write_text(json.dumps(metrics or {}), "utf-8")
    (folder / "predictions.json").write_text(
        json.dumps(predictions or small_predictions()), "utf-8"
    )
    return write_manifest(folder)


def small_predictions(noise: float = 1.0, seed: int = 0, patients: int = 3000) -> dict:
    """Test rows of a cohort that depends on nothing; ``noise`` is what a model does not see."""
    generator = np.random.default_rng(12345)
    truth = generator.normal(-3.2, 1.2, patients)
    outcome = (generator.random(patients) < 1 / (1 + np.exp(-truth))).astype(int)
    sex = generator.choice(["female", "male"], patients)
    seen = truth + noise * np.random.default_rng(seed).normal(0, 1, patients)
    # What is left of the truth once noise is known about: a calibrated prediction.
    shrunk = -3.2 + (seen + 3.2) * 1.44 / (1.44 + noise**2)
    return {
        "cohort": "0" * 64,
        "outcome_definition": "drawn at random",
        "columns": {
            "patient": [i // 2 for i in range(patients)],
            "outcome": outcome.tolist(),
            "weight": [1.0] * patients,
            "probability": (1 / (1 + np.exp(-shrunk))).tolist(),
            "sex": sex.tolist(),
        },
    }
