"""Locate a checkpoint: shipped with the package, in a folder, or on the Hugging Face hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clinical_nlp.artifacts import MODEL_FOLDER, read_toml, shipped_models
from clinical_nlp.errors import ModelError, PipelineError
from clinical_nlp.neural.checkpoint import Checkpoint

#: The encoder that comes with the package.
EMBEDDED = "es-clinical-encoder"

#: Files that are fetched from a repository: data, no code, no pickle.
WANTED_FILES = ("*.json", "*.safetensors", "*.txt", "*.model")

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def find_checkpoint(
    reference: str | Path = EMBEDDED, *, revision: str | None = None, offline: bool = True
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
    except Exception as error:
        # The hub's client and its transport have many exception types.
        if offline and isinstance(error, LocalEntryNotFoundError):
            raise ModelError(
                "E440",
                f"the encoder '{name}' is not on this machine: fetch it with 'clinical-nlp models "
                f"fetch {name}' where there is a network, or give the path of a copied folder",
            ) from error
        raise ModelError(
            "E448",
            f"the Hugging Face hub did not give '{name}' (no network, no such model or revision, "
            "or no leave to read it): check the name and the connection; on a machine without "
            "network copy the model's folder there and give its path",
        ) from error


@dataclass(frozen=True, slots=True)
class HubEncoder:
    """An encoder that can be fetched from the hub; ``hub.toml`` explains the fields."""

    id: str
    revision: str
    licence: str
    shape: str
    parameters: str
    vocabulary: int
    context: int
    size_mb: int
    why: str

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return len(self.revision) == 40


@cache
def hub_encoders() -> tuple[HubEncoder, ...]:
    """Encoders of ``hub.toml``, the recommended one first.

    Raises
    ------
    PipelineError
        E331: an entry lacks a key or has an unknown one.
    """
    entries = read_toml("clinical_nlp.neural", "hub.toml").get("encoder", [])
    try:
        return tuple(HubEncoder(**entry) for entry in entries)
    except TypeError as error:
        raise PipelineError(
            "E331", f"an entry of hub.toml is broken ({error}): correct the file"
        ) from error
