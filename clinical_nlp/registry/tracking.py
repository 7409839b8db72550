"""Writes a training run to MLflow, and the shipped folder of its model."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from clinical_nlp.registry.artifact import MODEL_FOLDER, save_model, write_manifest
from clinical_nlp.registry.store import client_of, speaking_to, store_uri
from clinical_nlp.training.card import metrics_json, model_card
from clinical_nlp.training.train import TrainedModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXPERIMENT = "hf-risk"


def write_shipped(model: TrainedModel, folder: Path) -> str:
    """Write ``model/``, ``card.md``, ``metrics.json`` and ``manifest.json``.

    Parameters
    ----------
    folder
        Folder of the model, e.g. ``models/hf-risk``; what the run makes is replaced
        there, the rest (the recipe) is left.

    Returns
    -------
    str
        Digest of the model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".training-") as scratch:
        fresh = Path(scratch) / MODEL_FOLDER
        example = dict(zip(model.spec.features, model.spec.reference, strict=True))
        save_model(model.classifier, model.spec, example, fresh)
        shutil.rmtree(folder / MODEL_FOLDER, ignore_errors=True)
        fresh.rename(folder / MODEL_FOLDER)
    (folder / "card.md").write_text(model_card(model), "utf-8")
    (folder / "metrics.json").write_text(metrics_json(model), "utf-8")
    return write_manifest(folder)


def log_run(model: TrainedModel, folder: Path, digest: str, tracking_uri: str | None = None) -> str:
    """Log a training run: parameters, metrics, card, calibration plot and the model.

    Nothing of any patient is logged: counts, hashes and measures only.

    Parameters
    ----------
    folder
        As written by :func:`write_shipped`.

    Returns
    -------
    str
        Id of the MLflow run.

    Raises
    ------
    ModelError
        E401: the store cannot be reached.
    """
    from mlflow.exceptions import MlflowException

    uri = store_uri(tracking_uri)
    with speaking_to(uri):
        client = client_of(uri)
        found = client.get_experiment_by_name(EXPERIMENT)
        try:
            experiment = (
                client.create_experiment(EXPERIMENT, artifact_location=_artifacts(uri))
                if found is None
                else found.experiment_id
            )
        except MlflowException:  # another process made it in between
            experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
        run = client.create_run(experiment).info.run_id
        for name, value in model.recipe.flat().items():
            client.log_param(run, name, value)
        for name, value in {
            "clinical_nlp.version": version("clinical-nlp"),
            "clinical_nlp.data": model.data_fingerprint,
            "clinical_nlp.pipeline": model.spec.pipeline,
            "clinical_nlp.features": model.spec.table_digest,
            "clinical_nlp.digest": digest,
            "clinical_nlp.cohort": model.spec.cohort,
        }.items():
            client.set_tag(run, name, value)
        for of, measures in model.measures.items():
            for name, measure in measures.items():
                client.log_metric(run, f"{of}.{name}", measure.value)
        client.log_figure(run, calibration_figure(model), "calibration.png")
        for path in ("card.md", "metrics.json", "manifest.json"):
            client.log_artifact(run, str(folder / path))
        client.log_artifacts(run, str(folder / MODEL_FOLDER), MODEL_FOLDER)
        client.set_terminated(run)
    return str(run)


def calibration_figure(model: TrainedModel) -> Figure:
    """Predicted against observed risk by tenth of the test patients."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    predicted, observed, _ = zip(*model.curve, strict=True)
    top = 100 * max(*predicted, *observed)
    axes.plot([0, top], [0, top], linestyle=":", color="grey", label="ideal")
    axes.plot([100 * p for p in predicted], [100 * o for o in observed], marker="o", label="model")
    axes.set(xlabel="predicted risk (%)", ylabel="observed (%)", title="Calibration, test patients")
    axes.legend()
    return figure


def _artifacts(uri: str) -> str | None:
    """Runs of a local store keep their files beside it; a server decides for itself."""
    from clinical_nlp.registry.store import ARTIFACTS, sqlite_folder

    return str(sqlite_folder(uri) / ARTIFACTS / "runs") if uri.startswith("sqlite:") else None
