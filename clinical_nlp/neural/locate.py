"""Locate a checkpoint: shipped with the package, in a folder, or in the hub's cache."""

from __future__ import annotations

import re
from pathlib import Path

from clinical_nlp.artifacts import MODEL_FOLDER, shipped_models
from clinical_nlp.errors import ModelError
from clinical_nlp.neural.checkpoint import Checkpoint

#: The encoder that comes with the package.
EMBEDDED = "es-clinical-encoder"

#: Files that are fetched from a repository: data, no code, no pickle.
WANTED_FILES = ("*.json", "*.safetensors", "*.txt", "*.model")

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def find_checkpoint(
    reference: str | Path, *, revision: str | None = None, offline: bool = True
) -> Checkpoint:
    """Find a checkpoint on this machine, or on the hub if that is allowed.

    Parameters
    ----------
    reference
        Name of a shipped model (``"es-clinical-encoder"``), folder, or hub id
        (``"BSC-LT/MrBERT-es"``).
    revision
        Commit, tag or branch on the hub; a full commit is the only one that never changes.
    offline
        Take a hub's model from this machine's cache only.

    Raises
    ------
    ModelError
        E440: it was not found. E448: the hub did not deliver it.
    """
    name = str(reference)
    folder = Path(name).expanduser()
    if folder.is_dir():
        inner = folder / MODEL_FOLDER
        return Checkpoint(name, inner if (inner / "config.json").is_file() else folder)
    for shipped in shipped_models():
        if shipped.name == name:
            return Checkpoint(name, shipped / MODEL_FOLDER)
    if not _HUB_ID.fullmatch(name):
        raise ModelError(
            "E440",
            f"there is no encoder '{name}': give the name of a shipped one "
            "('clinical-nlp models list'), a folder, or a hub id such as BSC-LT/MrBERT-es",
        )
    return Checkpoint(name, hub_folder(name, revision=revision, offline=offline))


def hub_folder(name: str, *, revision: str | None, offline: bool) -> Path:
    """Folder of a hub's model in this machine's cache, filled first unless ``offline``.

    Raises
    ------
    ModelError
        E440: it is not in the cache. E448: the hub did not deliver it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=list(WANTED_FILES),
                local_files_only=offline,
            )
        )
    except LocalEntryNotFoundError as error:
        if offline:
            raise ModelError(
                "E440",
                f"the encoder '{name}' is not on this machine: fetch it with 'clinical-nlp models "
                f"fetch {name}' where there is a network, or give the path of a copied folder",
            ) from error
        raise _not_delivered(name) from error
    except Exception as error:
        # The hub's client and its transport have many exception types.
        raise _not_delivered(name) from error


def _not_delivered(name: str) -> ModelError:
    return ModelError(
        "E448",
        f"the Hugging Face hub did not give '{name}' (no network, no such model or revision, or "
        "no leave to read it): check the name and the connection; on a machine without network "
        "copy the model's folder there and give its path",
    )


def load_checkpoint(
    reference: str | Path = EMBEDDED, *, revision: str | None = None, offline: bool = True
) -> Checkpoint:
    """Find a checkpoint; short for :func:`find_checkpoint` with the embedded one as default."""
    return find_checkpoint(reference, revision=revision, offline=offline)
