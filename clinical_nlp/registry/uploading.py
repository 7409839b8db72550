"""Puts a trained folder's files into an MLflow run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clinical_nlp.artifacts import MANIFEST, MODEL_FOLDER
from clinical_nlp.registry.manifest import EVIDENCE

if TYPE_CHECKING:
    from mlflow import MlflowClient


def upload(client: MlflowClient, run: str, folder: Path) -> None:
    """Log model, manifest, card, metrics and predictions as artefacts of a run."""
    for name in (*EVIDENCE, MANIFEST):
        if (folder / name).is_file():
            client.log_artifact(run, str(folder / name))
    client.log_artifacts(run, str(folder / MODEL_FOLDER), MODEL_FOLDER)
