"""Lists, finds and registers versions of the risk model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clinical_nlp.artifacts import CARD, file_digest
from clinical_nlp.errors import ModelError
from clinical_nlp.registry.manifest import evidence_digests, verified_digest
from clinical_nlp.registry.store import (
    CHALLENGER,
    CHAMPION,
    DIGEST_TAG,
    EVIDENCE_TAG,
    NAME,
    experiment_id,
    fetch,
    open_store,
    upload_folder,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_URI = re.compile(r"models:/(?P<name>[^@/]+)(?:@(?P<alias>[^@/]+)|/(?P<version>\d+))")


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """One version of a model; ``digest`` is ``None`` where none was recorded."""

    name: str
    version: str
    aliases: tuple[str, ...]
    digest: str | None
    description: str


def list_models(tracking_uri: str | None = None) -> list[RegisteredVersion]:
    """List the versions of the risk model, newest first; empty without a registry.

    Raises
    ------
    ModelError
        E401: the store cannot be reached.
    """
    with open_store(tracking_uri) as client:
        aliases: dict[str, list[str]] = {}
        for model in client.search_registered_models(f"name = '{NAME}'"):
            for alias, version in model.aliases.items():
                aliases.setdefault(str(version), []).append(alias)
        found = client.search_model_versions(f"name = '{NAME}'")
    rows = [
        RegisteredVersion(
            name=NAME,
            version=str(version.version),
            aliases=tuple(sorted(aliases.get(str(version.version), ()))),
            digest=version.tags.get(DIGEST_TAG),
            description=version.description or "",
        )
        for version in found
    ]
    return sorted(rows, key=lambda row: -int(row.version))


def register_folder(
    folder: Path,
    description: str = "",
    tracking_uri: str | None = None,
    alias: str | None = CHALLENGER,
) -> RegisteredVersion:
    """Register a folder written by training as a new version.

    If the training run was logged to this store, the version points at its artefacts; else
    the files are logged to a run of their own.

    Parameters
    ----------
    alias
        Given to the new version; ``None`` for none.

    Raises
    ------
    ModelError
        E401: the store cannot be reached. E411, E412: the folder has no manifest or was
        changed since.
    """
    digest = verified_digest(folder)
    with open_store(tracking_uri) as client:
        version = register(client, folder, digest, description)
        if alias is not None:
            client.set_registered_model_alias(NAME, alias, version.version)
    aliases = () if alias is None else (alias,)
    return RegisteredVersion(NAME, str(version.version), aliases, digest, description)


def register(client: MlflowClient, folder: Path, digest: str, description: str) -> ModelVersion:
    """Log a verified folder to a run and register it as a version, without an alias."""
    from mlflow.exceptions import MlflowException

    experiment = experiment_id(client, NAME)
    logged = client.search_runs([experiment], f"tags.`{DIGEST_TAG}` = '{digest}'", max_results=1)
    run = logged[0] if logged else client.create_run(experiment, run_name="registered")
    if not logged:
        client.set_tag(run.info.run_id, DIGEST_TAG, digest)
        upload_folder(client, run.info.run_id, folder)
        client.set_terminated(run.info.run_id)
    elif (folder / CARD).is_file():
        client.log_artifact(run.info.run_id, str(folder / CARD))  # somebody may have added to it
    try:
        client.create_registered_model(NAME)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {f"{EVIDENCE_TAG}{name}": value for name, value in evidence_digests(folder).items()}
    return client.create_model_version(
        NAME,
        source=f"{run.info.artifact_uri}/model",
        run_id=run.info.run_id,
        description=description,
        tags={DIGEST_TAG: digest, **tags},
    )


def find_version(client: MlflowClient, asked: str) -> ModelVersion:
    """Return the version of ``models:/name@alias``, ``models:/name/3``, ``3`` or an alias.

    Raises
    ------
    ModelError
        E402: there is none. E404: it is of another form. E417: it has no digest.
    """
    model_uri = asked
    if re.fullmatch(r"\d+", asked):
        model_uri = f"models:/{NAME}/{asked}"
    elif re.fullmatch(r"[\w.-]+", asked) and asked != NAME:
        model_uri = f"models:/{NAME}@{asked}"
    match = _URI.fullmatch(model_uri)
    if match is None:
        raise ModelError(
            "E404",
            f"'{asked}' is not a model URI: write models:/{NAME}@{CHAMPION} or models:/{NAME}/3",
        )
    version = _find(client, **match.groupdict())
    if version is None:
        raise ModelError(
            "E402",
            f"the registry has no model '{model_uri}': list what it has with "
            "'clinical-nlp registry list'",
        )
    if DIGEST_TAG not in version.tags:
        raise ModelError(
            "E417",
            f"version {version.version} of '{version.name}' was registered without a digest, so "
            "whether it was changed is unknown: register it with "
            "'clinical-nlp registry register'",
        )
    return version


def has_versions(client: MlflowClient) -> bool:
    """Return whether the registry holds any version of the risk model."""
    return bool(client.search_model_versions(f"name = '{NAME}'", max_results=1))


def aliased(client: MlflowClient, alias: str) -> ModelVersion | None:
    """Return the version of an alias; ``None`` without the model or the alias."""
    return _find(client, NAME, alias)


def _find(
    client: MlflowClient, name: str, alias: str | None, version: str = ""
) -> ModelVersion | None:
    from mlflow.exceptions import MlflowException

    absent = {"RESOURCE_DOES_NOT_EXIST"}
    try:
        if alias is None:
            return client.get_model_version(name, version)
        absent.add("INVALID_PARAMETER_VALUE")
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code in absent:
            return None
        raise


def model_files(client: MlflowClient, version: ModelVersion, into: Path) -> Path:
    """Return the folder of a version's MLflow model, not yet verified."""
    source = client.get_model_version_download_uri(version.name, version.version)
    return fetch(client, source, into)


def evidence_file(
    client: MlflowClient, version: ModelVersion, name: str, into: Path
) -> Path | None:
    """Return a version's card, metrics or predictions file; ``None`` where it has none.

    Raises
    ------
    ModelError
        E412: the file was changed since.
    """
    wanted = version.tags.get(f"{EVIDENCE_TAG}{name}")
    if wanted is None or not version.run_id:
        return None
    path = fetch(client, f"{client.get_run(version.run_id).info.artifact_uri}/{name}", into)
    if file_digest(path) != wanted:
        raise ModelError(
            "E412",
            f"{name} of version {version.version} is not what was registered (another digest): "
            "register the model again from a source you trust",
        )
    return path
