"""The models that come with the package, and the digests that tell whether they still do.

A shipped model is a folder of ``models/``: its card, its recipe, its measures,
``manifest.json``, and the model's own files in ``model/``. The manifest holds the SHA-256 of
each of these files and one digest over them all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from clinical_nlp.errors import ModelError

#: Folder of a shipped model that holds the model's own files, and the file of their digests.
MODEL_FOLDER = "model"
MANIFEST = "manifest.json"

#: Bytes read at a time: weights of a gigabyte are not taken into memory to be digested.
_BLOCK = 2**20


def shipped_models() -> Iterator[Path]:
    """Folders of the shipped models, in order of name; from the wheel, or the checkout."""
    package = Path(__file__).resolve().parent
    for root in (package / "shipped_models", package.parent / "models"):
        if root.is_dir():
            yield from sorted(path for path in root.iterdir() if (path / MANIFEST).is_file())
            return


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def folder_digests(folder: Path, leaving_out: Collection[str] = ()) -> dict[str, str]:
    """Hex SHA-256 of every file below a folder, by its relative path.

    Parameters
    ----------
    leaving_out
        Names of files that are no part of the model, wherever they stand.
    """
    return {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in leaving_out and "__pycache__" not in path.parts
    }


def digest_of(digests: Mapping[str, str]) -> str:
    """One hex SHA-256 over names and digests of files; their order does not matter."""
    return hashlib.sha256(json.dumps(dict(digests), sort_keys=True).encode()).hexdigest()


def write_manifest(shipped: Path, **facts: object) -> str:
    """Record the digests of a shipped model's files; return the digest over them all.

    Parameters
    ----------
    shipped
        Folder with the model in ``model/``.
    **facts
        What else the manifest shall tell, as JSON holds it: ``licence="Apache-2.0"``.
    """
    files = folder_digests(shipped / MODEL_FOLDER)
    manifest = {**facts, "digest": digest_of(files), "files": files}
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (shipped / MANIFEST).write_text(text, "utf-8")
    return str(manifest["digest"])


def read_manifest(shipped: Path) -> dict[str, Any]:
    """Return a shipped model's manifest.

    Raises
    ------
    ModelError
        E411: it is missing or unreadable.
    """
    try:
        manifest: dict[str, Any] = json.loads((shipped / MANIFEST).read_text("utf-8"))
        if not isinstance(manifest["files"], dict) or not isinstance(manifest["digest"], str):
            raise TypeError("manifest")
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(
            "E411",
            f"the model in '{shipped.name}' has no readable {MANIFEST}: install the package "
            "again, or train the model anew",
        ) from None
    return manifest


def changed_files(shipped: Path) -> list[str]:
    """Names of a shipped model's files that are not as the manifest has them.

    Returns
    -------
    list of str
        Changed, added and missing files; ``manifest.json`` itself where its digest is not
        that of its files. Empty where everything is as shipped.

    Raises
    ------
    ModelError
        E411: the manifest is missing or unreadable.
    """
    manifest = read_manifest(shipped)
    recorded: dict[str, str] = manifest["files"]
    found = folder_digests(shipped / MODEL_FOLDER)
    changed = sorted(
        name for name in recorded.keys() | found.keys() if recorded.get(name) != found.get(name)
    )
    if not changed and digest_of(recorded) != manifest["digest"]:
        return [MANIFEST]
    return changed
