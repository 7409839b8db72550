"""Writes the folder of a recalibrated model, like that of a training run."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinical_nlp.artifacts import CARD, METRICS, MODEL_FOLDER
from clinical_nlp.errors import OutputError
from clinical_nlp.registry.artifact import load_model, save_model
from clinical_nlp.registry.manifest import PREDICTIONS, verified_digest, write_manifest
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.training.risk.recalibration import RecalibratedModel, recalibration_markdown
from clinical_nlp.training.risk.results import metrics_to_json, predictions_to_json

_RECIPE = "recipe.toml"


@dataclass(frozen=True, slots=True)
class TrainedFolder:
    """The folder of a training run: the model, verified, its metrics, predictions and digest."""

    path: Path
    parts: ModelArtifacts
    metrics: dict[str, Any]
    digest: str

    @classmethod
    def read(cls, path: Path) -> TrainedFolder:
        """Verify and load the model of a folder written by ``clinical-nlp train risk``."""
        digest = verified_digest(path)
        parts = load_model(path / MODEL_FOLDER, digest)
        return cls(path, parts, json.loads((path / METRICS).read_text("utf-8")), digest)

    def predictions(self) -> dict[str, Any]:
        """Content of ``predictions.json``."""
        content: dict[str, Any] = json.loads((self.path / PREDICTIONS).read_text("utf-8"))
        return content

    @property
    def recipe(self) -> Path:
        """The recipe kept with the model."""
        return self.path / _RECIPE


def write_recalibrated(
    result: RecalibratedModel, source: TrainedFolder, out: Path, description: str
) -> str:
    """Write a recalibrated model to a new folder.

    Parameters
    ----------
    source
        The training run that was recalibrated.
    description
        What it was recalibrated to, for the card.

    Returns
    -------
    str
        Digest of the model.

    Raises
    ------
    OutputError
        E515: the folder cannot be written.
    """
    try:
        out.mkdir(parents=True)
        save_model(result.parts, out / MODEL_FOLDER)
        card = (source.path / CARD).read_text("utf-8")
        section = recalibration_markdown(result, description)
        (out / CARD).write_text(f"{card}\n{section}", "utf-8")
        (out / METRICS).write_text(metrics_to_json(result.metrics), "utf-8")
        (out / PREDICTIONS).write_text(predictions_to_json(result.predictions), "utf-8")
        if source.recipe.is_file():
            shutil.copyfile(source.recipe, out / _RECIPE)
        return write_manifest(out)
    except OSError as error:
        raise OutputError(
            "E515",
            f"the recalibrated model cannot be written to '{out}' ({error.strerror}): "
            "give another place with --out",
        ) from None
