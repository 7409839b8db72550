"""Find and check the files of a shipped or trained network; importing this loads no torch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from clinical_nlp.artifacts import MODEL_FOLDER, digest_of, file_digest, shipped_models


def find_model_folder(reference: str, config: str) -> Path | None:
    """Folder of a network's files: a shipped one's by name, or a folder, directly or in ``model/``.

    Parameters
    ----------
    config
        Name of the file that identifies the folder.
    """
    shipped = [folder / MODEL_FOLDER for folder in shipped_models() if folder.name == reference]
    given = Path(reference)
    candidates = (*shipped, given / MODEL_FOLDER, given)
    return next((folder for folder in candidates if (folder / config).is_file()), None)


def files_digest(folder: Path, names: Iterable[str]) -> str:
    """Hex SHA-256 over some files of a folder; ``OSError`` if one cannot be read."""
    return digest_of({name: file_digest(folder / name) for name in names})
