"""What the registry holds, and registering a trained model in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clinical_nlp.errors import ModelError
from clinical_nlp.registry.artifact import MODEL_FOLDER, verified_digest
from clinical_nlp.registry.champion import DIGEST_TAG, NAME, register
from clinical_nlp.registry.store import ARTIFACTS, client_of, speaking_to, sqlite_folder, store_uri


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
    uri = store_uri(tracking_uri)
    with speaking_to(uri):
        client = client_of(uri)
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
    folder: Path, description: str = "", tracking_uri: str | None = None
) -> RegisteredVersion:
    """Register a folder written by training as a new version.

    Raises
    ------
    ModelError
        E401: the store cannot be reached. E405: it is a server (see the sentence).
        E411, E412: the folder has no manifest or was changed since.
    """
    digest = verified_digest(folder)
    uri = store_uri(tracking_uri)
    if not uri.startswith("sqlite:"):
        raise ModelError(
            "E405",
            "only a local SQLite store can be written to in this version: register the "
            f"logged run's model in the server's own interface with the tag {DIGEST_TAG}={digest}",
        )
    with speaking_to(uri):
        artifacts = sqlite_folder(uri) / ARTIFACTS
        version = register(client_of(uri), folder / MODEL_FOLDER, digest, artifacts, description)
    return RegisteredVersion(NAME, str(version.version), (), digest, description)
