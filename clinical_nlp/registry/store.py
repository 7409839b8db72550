"""The MLflow store: which one, a client for it, and what is said when it does not answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clinical_nlp.errors import ModelError

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: Where the shipped model goes without a registry of one's own.
DEFAULT_STORE = "sqlite:///mlflow.db"

#: Folder, beside the default store, that holds its models.
ARTIFACTS = "mlartifacts"


def store_uri(tracking_uri: str | None) -> str:
    """The store to use: as given, else ``MLFLOW_TRACKING_URI``, else the default."""
    return tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE


def sqlite_folder(uri: str) -> Path:
    """Folder of a SQLite store: ``sqlite:///mlflow.db`` is relative, with four slashes not."""
    return Path(uri.removeprefix("sqlite:///")).resolve().parent


def client_of(uri: str) -> MlflowClient:
    """A client that tracks runs and registers models in one store."""
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def experiment_of(client: MlflowClient, uri: str, name: str) -> str:
    """Id of an experiment, made where absent."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    # Runs of a local store keep their files beside it; a server decides for itself.
    place = str(sqlite_folder(uri) / ARTIFACTS / "runs") if uri.startswith("sqlite:") else None
    try:
        return str(client.create_experiment(name, artifact_location=place))
    except MlflowException:  # another process made it in between
        return str(client.get_experiment_by_name(name).experiment_id)


def fetch(uri: str, source: str, into: Path) -> Path:
    """Files of a run or a version: in place for a local store, else copied into a folder."""
    import mlflow.artifacts

    local = Path(source.removeprefix("file://"))
    if local.exists():
        return local
    return Path(
        mlflow.artifacts.download_artifacts(
            artifact_uri=source, dst_path=str(into), tracking_uri=uri
        )
    )


@contextmanager
def speaking_to(uri: str) -> Iterator[None]:
    """Turn whatever a store's absence raises into one error with a remedy.

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
