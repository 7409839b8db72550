"""The model card and the metrics file, generated from a training run."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from clinical_nlp.risk.topics import load_features
from clinical_nlp.training.train import TrainedModel

_WEIGHTS_SHOWN = 25


def model_card(model: TrainedModel) -> str:
    """Return the card in Markdown; its first line says whom the model was trained on."""
    template = files("clinical_nlp.training").joinpath("card.md.j2").read_text("utf-8")
    largest = sorted(model.weights.items(), key=lambda item: (-abs(item[1]), item[0]))
    # The output is Markdown, not HTML: escaping would spoil it.
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701
    card = environment.from_string(template).render(
        model=model,
        best=min(model.choices, key=lambda choice: choice.mean),
        table=load_features(),
        largest=largest[:_WEIGHTS_SHOWN],
        versions={name: version(name) for name in ("scikit-learn", "clinical-nlp")},
    )
    return card.rstrip() + "\n"


def metrics(model: TrainedModel) -> dict[str, Any]:
    """Return everything measured, as plain values for ``metrics.json``."""
    return {
        "cohort": model.spec.cohort,
        "patients": model.patients,
        "patients_read": model.read,
        "notes": model.notes,
        "data_fingerprint": model.data_fingerprint,
        "pipeline": model.spec.pipeline,
        "feature_table": model.spec.table_digest,
        "parts": {name: asdict(part) for name, part in model.parts.items()},
        "left_out": dict(model.left_out),
        "strength": model.chosen.strength,
        "platt": {"slope": model.platt[0], "intercept": model.platt[1]},
        "test": {
            name: {measure: asdict(value) for measure, value in measured.items()}
            for name, measured in model.measures.items()
        },
        "calibration": [{"predicted": p, "observed": o, "weight": w} for p, o, w in model.curve],
        "alerts": [
            {**asdict(a), "needed": a.needed if math.isfinite(a.needed) else None}
            for a in model.alerts
        ],
    }


def metrics_json(model: TrainedModel) -> str:
    """Return :func:`metrics` as JSON text, rounded to six decimals, keys in order."""
    return json.dumps(_rounded(metrics(model)), indent=2, sort_keys=True) + "\n"


def _rounded(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
