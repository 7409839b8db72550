"""Writes a trained model's folder and logs its training run to MLflow."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import clinical_nlp
from clinical_nlp.artifacts import CARD, METRICS, MODEL_FOLDER, replace_folder
from clinical_nlp.registry.artifact import save_model
from clinical_nlp.registry.energy import log_energy
from clinical_nlp.registry.manifest import PREDICTIONS, write_manifest
from clinical_nlp.registry.store import BATCH_SIZE, DIGEST_TAG, NAME, open_run, upload_folder
from clinical_nlp.training.risk.card import model_card
from clinical_nlp.training.risk.plots import figures
from clinical_nlp.training.risk.results import metrics_to_json, predictions_to_json
from clinical_nlp.training.risk.train import TrainedModel


def write_shipped(
    model: TrainedModel, folder: Path, energy: Mapping[str, Any] | None = None
) -> str:
    """Write ``model/``, ``card.md``, ``metrics.json``, ``predictions.json`` and ``manifest.json``.

    Parameters
    ----------
    folder
        Folder of the model, e.g. ``models/hf-risk``; other files there, such as the recipe,
        stay.
    energy
        Energy of the training (:meth:`clinical_nlp.registry.energy.Energy.report`).

    Returns
    -------
    str
        Digest of the model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with replace_folder(folder / MODEL_FOLDER) as fresh:
        save_model(model.parts, fresh)
    (folder / CARD).write_text(model_card(model, energy), "utf-8")
    (folder / METRICS).write_text(metrics_to_json(model.metrics), "utf-8")
    (folder / PREDICTIONS).write_text(predictions_to_json(model.predictions), "utf-8")
    return write_manifest(folder)


def log_run(
    model: TrainedModel,
    folder: Path,
    digest: str,
    tracking_uri: str | None = None,
    energy: Mapping[str, Any] | None = None,
) -> str:
    """Log a training run: parameters, metrics, figures, environment, card and the model.

    No patient data is logged: counts and measures, and predictions without ids or keys of anybody.

    Parameters
    ----------
    folder
        As written by :func:`write_shipped`.
    energy
        Energy of the training.

    Returns
    -------
    str
        Id of the MLflow run.

    Raises
    ------
    ModelError
        E401: the store cannot be reached.
    """
    from mlflow.entities import Metric
    from mlflow.utils.time import get_current_time_millis

    now = get_current_time_millis()
    measures = [Metric(k, v, now, 0) for k, v in flat_metrics(model.metrics)]
    parameters, tags = model.recipe.flat(), _tags(model, digest)
    with open_run(NAME, parameters, tags, tracking_uri) as (client, run):
        for start in range(0, len(measures), BATCH_SIZE):
            client.log_batch(run, metrics=measures[start : start + BATCH_SIZE])
        for name, figure in figures(model.metrics).items():
            client.log_figure(run, figure, f"{name}.png")
        client.log_dict(run, environment(), "environment.json")
        log_energy(client, run, energy)
        upload_folder(client, run, folder)
    return run


def flat_metrics(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the test measures as ``model.auroc`` and its bounds as ``model.auroc.low``."""
    for of, measures in metrics["test"].items():
        for name, measure in measures.items():
            for part, suffix in (("value", ""), ("low", ".low"), ("high", ".high")):
                if measure.get(part) is not None:
                    yield f"{of}.{name}{suffix}", float(measure[part])


def environment() -> dict[str, Any]:
    """Return Python, system and the version of every installed package, as JSON values."""
    packages = {str(d.metadata["Name"]): d.version for d in distributions()}
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def code_version() -> str | None:
    """Return the checkout's commit, ``-dirty`` with changes; ``None`` for a wheel."""
    # MLflow depends on GitPython, whose import fails without a git binary.
    try:
        import git

        repository = git.Repo(Path(clinical_nlp.__file__).resolve().parents[1])
        dirty = "-dirty" if repository.is_dirty() else ""
        return f"{repository.head.commit.hexsha}{dirty}"
    except (ImportError, OSError, ValueError):
        return None
    except git.exc.GitError:
        return None


def _tags(model: TrainedModel, digest: str) -> dict[str, str]:
    spec = model.parts.spec
    commit = code_version()
    return {
        "clinical_nlp.version": version("clinical-nlp"),
        **({} if commit is None else {"mlflow.source.git.commit": commit}),
        "mlflow.source.name": "clinical-nlp train risk",
        "clinical_nlp.data": model.data_fingerprint,
        "clinical_nlp.pipeline": spec.pipeline,
        "clinical_nlp.features": spec.table_digest,
        "clinical_nlp.family": spec.family,
        "clinical_nlp.cohort": spec.cohort,
        DIGEST_TAG: digest,
    }
