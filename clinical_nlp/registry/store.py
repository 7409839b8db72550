"""The MLflow store: its URI, a client, experiments, files, and its errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clinical_nlp.artifacts import MANIFEST, MODEL_FOLDER
from clinical_nlp.errors import ModelError
from clinical_nlp.registry.manifest import EVIDENCE

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: The store where none is configured.
DEFAULT_STORE = "sqlite:///mlflow.db"

#: Folder, beside the default store, that holds its models.
ARTIFACTS = "mlartifacts"


def store_uri(tracking_uri: str | None) -> str:
    """The store to use: as given, else ``MLFLOW_TRACKING_URI``, else the default."""
    return tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE


def sqlite_folder(uri: str) -> Path:
    """Folder of a SQLite store: ``sqlite:///mlflow.db`` is relative, with four slashes not."""
    return Path(uri.removeprefix("sqlite:///")).resolve().parent


def mlflow_client(uri: str) -> MlflowClient:
    """Return a client for runs and registered models of one store."""
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def experiment_id(client: MlflowClient, uri: str, name: str) -> str:
    """Return the id of an experiment, which is created where absent."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    # Runs of a local store keep their files beside it; a server has its own location.
    location = str(sqlite_folder(uri) / ARTIFACTS / "runs") if uri.startswith("sqlite:") else None
    try:
        return str(client.create_experiment(name, artifact_location=location))
    except MlflowException:  # another process created it meanwhile
        return str(client.get_experiment_by_name(name).experiment_id)


def fetch(uri: str, source: str, into: Path) -> Path:
    """Return the files of a run or version: in place for a local store, else downloaded."""
    import mlflow.artifacts

    local = Path(source.removeprefix("file://"))
    if local.exists():
        return local
    return Path(
        mlflow.artifacts.download_artifacts(
            artifact_uri=source, dst_path=str(into), tracking_uri=uri
        )
    )


def upload_folder(client: MlflowClient, run: str, folder: Path) -> None:
    """Log model, manifest, card, metrics and predictions of a trained folder to a run."""
    for name in (*EVIDENCE, MANIFEST):
        if (folder / name).is_file():
            client.log_artifact(run, str(folder / name))
    client.log_artifacts(run, str(folder / MODEL_FOLDER), MODEL_FOLDER)


@contextmanager
def store_errors(uri: str) -> Iterator[None]:
    """Turn the errors of an unavailable store into E401.

    The store's own message is left out: a database URL may hold a password.
    """
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    kind = uri.partition(":")[0]
    try:
        yield
    except (MlflowException, SQLAlchemyError, requests.RequestException, OSError) as error:
        raise ModelError(
            "E401",
            f"the MLflow registry ({kind} store) cannot be used ({type(error).__name__}): "
            "check MLFLOW_TRACKING_URI, that the server answers, and that the working "
            "folder can be written to",
        ) from None
