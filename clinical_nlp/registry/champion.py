"""The champion: registered on first use, resolved once a run, pinned and verified."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from clinical_nlp.errors import ModelError
from clinical_nlp.records import ModelReference
from clinical_nlp.registry.artifact import MODEL_FOLDER, load_model, verified_digest
from clinical_nlp.registry.shipped import shipped_folder
from clinical_nlp.registry.store import (
    ARTIFACTS,
    client_of,
    speaking_to,
    sqlite_folder,
    store_uri,
)
from clinical_nlp.risk.model import RiskModel

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

NAME = "hf-risk"
ALIAS = "champion"
DEFAULT_URI = f"models:/{NAME}@{ALIAS}"

#: Tag of a model version that records the digest of its files.
DIGEST_TAG = "clinical_nlp.digest"

_URI = re.compile(r"models:/(?P<name>[^@/]+)(?:@(?P<alias>[^@/]+)|/(?P<version>\d+))")


def ensure_champion(tracking_uri: str | None = None) -> str:
    """Register the shipped model as champion where no champion has been set.

    Parameters
    ----------
    tracking_uri
        MLflow store; else ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db`` in the
        working folder. Only a local SQLite store is ever written to unasked.

    Returns
    -------
    str
        The URI of the champion, by alias.

    Raises
    ------
    ModelError
        E401: the store cannot be reached. E402: a server has no champion. E403, E411,
        E412: the shipped model is missing or not as shipped.
    """
    uri = store_uri(tracking_uri)
    with speaking_to(uri):
        client = client_of(uri)
        if _aliased(client, NAME, ALIAS) is not None:
            return DEFAULT_URI
        if not uri.startswith("sqlite:"):
            raise ModelError(
                "E402",
                f"the registry has no model '{NAME}' with the alias '{ALIAS}': set the alias "
                "in MLflow on a version registered with 'clinical-nlp registry register'",
            )
        shipped = shipped_folder(NAME)
        version = register(
            client,
            shipped / MODEL_FOLDER,
            verified_digest(shipped),
            sqlite_folder(uri) / ARTIFACTS,
            "Shipped with the package: trained on a simulated cohort, not for clinical use.",
        )
        client.set_registered_model_alias(NAME, ALIAS, version.version)
    return DEFAULT_URI


def register(
    client: MlflowClient, model: Path, digest: str, artifacts: Path, description: str
) -> ModelVersion:
    """Copy a model beside a local store and register it as a new version.

    The copy makes the registry independent of the installed package, and its folder is
    named by the digest, so that the same model is copied once.
    """
    from mlflow.exceptions import MlflowException

    target = (artifacts / NAME / digest[:16]).resolve()
    if not target.is_dir():
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(model, partial)
        partial.rename(target)
    try:
        client.create_registered_model(NAME)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return client.create_model_version(
        NAME, source=str(target), description=description, tags={DIGEST_TAG: digest}
    )


def load_champion(uri: str = DEFAULT_URI, tracking_uri: str | None = None) -> RiskModel:
    """Resolve a model URI once, verify the model, and return it ready to score.

    Parameters
    ----------
    uri
        ``models:/name@alias`` or ``models:/name/version``. For the default URI the shipped
        model is registered first where there is no champion.
    tracking_uri
        As in :func:`ensure_champion`.

    Returns
    -------
    RiskModel
        Its ``reference`` pins the version and the digest.

    Raises
    ------
    ModelError
        E401: the registry cannot be reached. E402: no such model, alias or version.
        E404: the URI is of another form. E411-E416: the model cannot be trusted or used.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ModelError(
            "E404",
            f"'{uri}' is not a model URI: write models:/{NAME}@{ALIAS} or models:/{NAME}/3",
        )
    if uri == DEFAULT_URI:
        ensure_champion(tracking_uri)
    name = match["name"]
    store = store_uri(tracking_uri)
    with speaking_to(store):
        client = client_of(store)
        if match["alias"] is not None:
            version = _aliased(client, name, match["alias"])
        else:
            version = _numbered(client, name, match["version"])
        if version is None:
            raise ModelError(
                "E402",
                f"the registry has no model '{uri}': list what it has with "
                "'clinical-nlp registry list'",
            )
        digest = version.tags.get(DIGEST_TAG)
        if digest is None:
            raise ModelError(
                "E417",
                f"version {version.version} of '{name}' was registered without a digest, so "
                "nobody can tell whether it was changed: register it with "
                "'clinical-nlp registry register'",
            )
        folder = _fetch(client, version)
    classifier, spec = load_model(folder, digest)
    pinned = f"models:/{name}/{version.version}"
    return RiskModel(classifier, spec, ModelReference(name, str(version.version), pinned, digest))


def _aliased(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    """The version an alias points at; ``None`` where model or alias is not there."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _numbered(client: MlflowClient, name: str, version: str) -> ModelVersion | None:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version(name, version)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def _fetch(client: MlflowClient, version: ModelVersion) -> Path:
    """The version's files: in place for a local store, else downloaded by MLflow."""
    import mlflow.artifacts

    source = client.get_model_version_download_uri(version.name, version.version)
    local = Path(source.removeprefix("file://"))
    if local.is_dir():
        return local
    return Path(mlflow.artifacts.download_artifacts(artifact_uri=source))
