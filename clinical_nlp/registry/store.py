"""The MLflow store: names in it, its URI, a client, experiments, files, and its errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clinical_nlp.artifacts import MANIFEST, MODEL_FOLDER
from clinical_nlp.errors import ModelError
from clinical_nlp.registry.library_logs import libraries_at_debug
from clinical_nlp.registry.local_store import (
    ARTIFACTS,
    RUNS,
    database,
    is_local,
    only_process,
    prepare,
    require_place,
)
from clinical_nlp.registry.manifest import EVIDENCE

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: The registered model, which is also the experiment of its training runs.
NAME = "hf-risk"

#: Experiment with a run for each promotion, rollback and refusal.
DECISIONS = "hf-risk-decisions"

#: Aliases of the model that scores patients and of the one that may replace it.
CHAMPION, CHALLENGER = "champion", "challenger"

DEFAULT_URI = f"models:/{NAME}@{CHAMPION}"

#: Tag of a run and of a model version that records the digest of the model's files.
DIGEST_TAG = "clinical_nlp.digest"

#: Prefix of a version's tags that record the digests of card, metrics and predictions.
EVIDENCE_TAG = "clinical_nlp.evidence."

#: Most metrics, and most parameters, that MLflow accepts in one call.
BATCH_SIZE = 100

#: The store where none is configured.
DEFAULT_STORE = "sqlite:///mlflow.db"

#: Databases that this process found ready, by path and inode.
_ready: set[tuple[str, int]] = set()


def store_uri(tracking_uri: str | None) -> str:
    """The store to use: as given, else ``MLFLOW_TRACKING_URI``, else the default."""
    return tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE


def mlflow_client(uri: str) -> MlflowClient:
    """Return a client for runs and registered models of one store."""
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def experiment_id(client: MlflowClient, name: str) -> str:
    """Return the id of an experiment, which is created where absent."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    uri = client.tracking_uri
    # Runs of a local store keep their files beside it; a server has its own location.
    location = str(database(uri).parent / ARTIFACTS / RUNS) if is_local(uri) else None
    try:
        return str(client.create_experiment(name, artifact_location=location))
    except MlflowException:  # another process created it meanwhile
        return str(client.get_experiment_by_name(name).experiment_id)


def fetch(client: MlflowClient, source: str, into: Path) -> Path:
    """Return the files of a run or version: in place for a local store, else downloaded.

    Raises
    ------
    ModelError
        E423: a local store's files are not where it says.
    """
    import mlflow.artifacts

    local = Path(source.removeprefix("file://"))
    if local.exists():
        return local
    if is_local(client.tracking_uri) and local.is_absolute():
        raise ModelError(
            "E423",
            f"the files of a model are not at '{local}': the store was moved or copied without "
            f"its folder '{ARTIFACTS}', or they were deleted. Put '{ARTIFACTS}' beside "
            f"'{database(client.tracking_uri).name}' again, or register the model again",
        )
    return Path(
        mlflow.artifacts.download_artifacts(
            artifact_uri=source, dst_path=str(into), tracking_uri=client.tracking_uri
        )
    )


def upload_folder(client: MlflowClient, run: str, folder: Path) -> None:
    """Log model, manifest, card, metrics and predictions of a trained folder to a run."""
    for name in (*EVIDENCE, MANIFEST):
        if (folder / name).is_file():
            client.log_artifact(run, str(folder / name))
    client.log_artifacts(run, str(folder / MODEL_FOLDER), MODEL_FOLDER)


@contextmanager
def open_run(
    experiment: str,
    parameters: Mapping[str, Any],
    tags: Mapping[str, str],
    tracking_uri: str | None,
) -> Iterator[tuple[MlflowClient, str]]:
    """Open a run with its parameters and tags; it is closed as finished."""
    from mlflow.entities import Param

    with open_store(tracking_uri) as client:
        made = client.create_run(experiment_id(client, experiment), tags=tags)
        run = str(made.info.run_id)
        params = [Param(name, str(value)) for name, value in parameters.items()]
        for start in range(0, len(params), BATCH_SIZE):
            client.log_batch(run, params=params[start : start + BATCH_SIZE])
        yield client, run
        client.set_terminated(run)


@contextmanager
def open_store(tracking_uri: str | None) -> Iterator[MlflowClient]:
    """Yield a client of the store; the errors of an unavailable one become E401.

    The store's own message is left out: a database URL may hold a password.

    Raises
    ------
    ModelError
        E401: the store cannot be used. E419: its file is no database.
    """
    import requests
    from alembic.util.exc import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    uri = store_uri(tracking_uri)
    try:
        with libraries_at_debug():
            yield _local_client(uri) if is_local(uri) else mlflow_client(uri)
    except (
        MlflowException,
        SQLAlchemyError,
        sqlite3.Error,
        CommandError,  # a database of a newer MLflow
        requests.RequestException,
        OSError,
    ) as error:
        raise ModelError(
            "E401",
            f"the MLflow registry ({uri.partition(':')[0]} store) cannot be used "
            f"({type(error).__name__}): check MLFLOW_TRACKING_URI, that the server answers, "
            "and that the working folder can be written to",
        ) from None


def _local_client(uri: str) -> MlflowClient:
    """Return a client of a local store that was checked, or made, before anybody used it."""
    path = database(uri)
    if path.is_file() and (str(path), path.stat().st_ino) in _ready:
        return mlflow_client(uri)
    require_place(path)
    with only_process(uri):
        prepare(path)
        client = mlflow_client(uri)
        client.search_experiments(max_results=1)  # tables are made by now
        client.search_registered_models(max_results=1)
    if path.is_file():
        _ready.add((str(path), path.stat().st_ino))
    return client
