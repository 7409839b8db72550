"""Files that the package ships or writes: model folders, digests, private and atomic files.

A shipped model is a folder of ``models/``: its card, recipe and metrics, ``manifest.json``,
and the model's own files in ``model/``. The manifest holds the SHA-256 of each of these files
and one digest over all of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

from clinical_nlp.errors import ModelError, OutputError, PipelineError

#: Folder of a shipped model that holds the model's own files.
MODEL_FOLDER = "model"
#: What stands beside it: digests, model card, metrics.
MANIFEST, CARD, METRICS = "manifest.json", "card.md", "metrics.json"

#: Link in a batch's output folder to the run that counts.
CURRENT = "current"

#: Written by MLflow beside a model that it downloads; not part of the model.
_NOT_MODEL_FILES = frozenset({"registered_model_meta"})


def _shipped_root() -> Path:
    """``shipped_models/`` of an installed wheel, ``models/`` of a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "shipped_models"
    return installed if installed.is_dir() else package.parent / "models"


def shipped_models() -> Iterator[Path]:
    """Yield the folders of the shipped models in order of name."""
    yield from sorted(manifest.parent for manifest in _shipped_root().glob(f"*/{MANIFEST}"))


def shipped_folder(name: str) -> Path:
    """Return the folder of a shipped model, e.g. of ``"hf-risk"``.

    Raises
    ------
    ModelError
        E403: neither the wheel nor the checkout holds it.
    """
    folder = _shipped_root() / name
    if folder.is_dir():
        return folder
    raise ModelError(
        "E403",
        f"the package holds no model '{name}': install it again, or train one with "
        "'clinical-nlp train risk --config models/hf-risk/recipe.toml'",
    )


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digests(folder: Path) -> dict[str, str]:
    """Hex SHA-256 of each model file below a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _NOT_MODEL_FILES and "__pycache__" not in path.parts
    }


def folder_digest(folder: Path) -> str:
    """Hex SHA-256 over the names and contents of a model's files, wherever the folder is."""
    return digest_of(folder_digests(folder))


def digest_of(digests: Mapping[str, str]) -> str:
    """Hex SHA-256 over the names and digests of files, in any order."""
    return hashlib.sha256(json.dumps(dict(digests), sort_keys=True).encode()).hexdigest()


def package_digest(name: str) -> str:
    """Hex SHA-256 over an installed package's code and data; shipped models have their own."""
    root = Path(str(files(name)))
    return digest_of(
        {
            path.relative_to(root).as_posix(): file_digest(path)
            for path in sorted(root.rglob("*"))
            if path.is_file()
            and "__pycache__" not in path.parts
            and "shipped_models" not in path.parts
        }
    )


def write_manifest(shipped: Path, **facts: object) -> str:
    """Record the digests of a shipped model's files; return the digest over all of them.

    Parameters
    ----------
    shipped
        Folder with the model in ``model/``.
    **facts
        Further JSON values of the manifest: ``licence="Apache-2.0"``.
    """
    files = folder_digests(shipped / MODEL_FOLDER)
    digest = digest_of(files)
    manifest = {**facts, "digest": digest, "files": files}
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (shipped / MANIFEST).write_text(text, "utf-8")
    return digest


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
            "again, or retrain the model",
        ) from None
    return manifest


def changed_files(shipped: Path) -> list[str]:
    """Return the names of a shipped model's files that differ from the manifest.

    Returns
    -------
    list of str
        Changed, added and missing files; ``manifest.json`` itself where its digest is not
        that of its files. Empty where nothing changed.

    Raises
    ------
    ModelError
        E411: the manifest is missing or unreadable.
    """
    manifest = read_manifest(shipped)
    recorded: dict[str, str] = manifest["files"]
    changed = differing(recorded, folder_digests(shipped / MODEL_FOLDER))
    if not changed and digest_of(recorded) != manifest["digest"]:
        return [MANIFEST]
    return changed


def differing(recorded: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Names whose digests differ, or that only one of the two mappings has; sorted."""
    return sorted(
        name for name in recorded.keys() | found.keys() if recorded.get(name) != found.get(name)
    )


def published(out: Path) -> Path:
    """Return the folder of the run that counts in a batch's output folder.

    Who reads several files asks once: the next night may move the link in between. The folder
    itself where it holds no runs.
    """
    current = out / CURRENT
    return current.resolve() if current.is_symlink() else out


@contextmanager
def replace_folder(folder: Path, *, shared: bool = False) -> Iterator[Path]:
    """Fill a new folder, then put it in the place of an earlier one.

    Parameters
    ----------
    shared
        Other processes may be replacing the same folder now. Otherwise what a killed process
        left unfinished is removed first.

    Yields
    ------
    Path
        An empty folder beside the target. If the block fails, the target stays as it was.
    """
    fresh = folder.with_name(f".{folder.name}{f'.{os.getpid()}' if shared else ''}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Write a new file, then rename it over an earlier one: no reader sees half a file.

    Yields
    ------
    Path
        A path beside the target, to be written in the block.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        yield fresh
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def open_private(path: Path, *, exclusive: bool = False) -> BinaryIO:
    """Open a file for writing with mode 0600, whatever the umask.

    Parameters
    ----------
    exclusive
        Refuse to replace a file (FileExistsError).
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_EXCL if exclusive else os.O_TRUNC)
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "wb", buffering=1 << 18)


@contextmanager
def output_errors(name: str) -> Iterator[None]:
    """Turn an ``OSError`` of the block into E511 about the output file or folder ``name``."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            "E511",
            f"'{name}' cannot be written ({error.strerror or type(error).__name__}); "
            "see that the disk has room and that the folder is yours, then run again.",
        ) from None


def read_toml(package: str, name: str) -> dict[str, Any]:
    """Read a TOML file that lies in a package.

    Raises
    ------
    PipelineError
        E330: the file is absent or no TOML.
    """
    try:
        return tomllib.loads(files(package).joinpath(name).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PipelineError(
            "E330", f"the rules {package}/{name} cannot be read ({error}): correct the file"
        ) from error
