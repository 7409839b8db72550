"""What a folder written by training should hold: a digest of the model, one of each file.

The digest of a model is over the names and contents of its files, so that it is the same
wherever the model is copied to, and any change gives another.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from clinical_nlp.errors import ModelError

#: Folder of a trained model that holds the MLflow model, and the file of the digests.
MODEL_FOLDER = "model"
MANIFEST = "manifest.json"

#: What training writes beside the model and the promotion gate reads.
CARD, METRICS, PREDICTIONS = "card.md", "metrics.json", "predictions.json"
EVIDENCE = (CARD, METRICS, PREDICTIONS)

#: Written by MLflow beside a model when it fetches one; no part of it.
_NOT_OURS = frozenset({"registered_model_meta"})


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def file_digests(folder: Path) -> dict[str, str]:
    """Hex SHA-256 of each file of a model, by relative path."""
    return {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _NOT_OURS and "__pycache__" not in path.parts
    }


def model_digest(folder: Path) -> str:
    """Hex SHA-256 over the names and contents of a model's files."""
    content = json.dumps(file_digests(folder), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def evidence_digests(trained: Path) -> dict[str, str]:
    """Hex SHA-256 of the card, the metrics and the predictions, of those that are there."""
    return {name: file_digest(trained / name) for name in EVIDENCE if (trained / name).is_file()}


def write_manifest(trained: Path) -> str:
    """Record a trained folder's digests in ``manifest.json``; return the model's digest."""
    folder = trained / MODEL_FOLDER
    digest = model_digest(folder)
    manifest = {
        "digest": digest,
        "files": file_digests(folder),
        "evidence": evidence_digests(trained),
    }
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    (trained / MANIFEST).write_text(text, "utf-8")
    return digest


def verified_digest(trained: Path) -> str:
    """Return a trained folder's digest after checking every file against the manifest.

    The card is not held to its digest: a service adds its own words to it.

    Raises
    ------
    ModelError
        E411: the manifest is missing or unreadable. E412: a file is not as recorded.
    """
    try:
        manifest = json.loads((trained / MANIFEST).read_text("utf-8"))
        recorded, digest = dict(manifest["files"]), str(manifest["digest"])
        evidence = dict(manifest.get("evidence", {}))
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(
            "E411",
            f"the model in '{trained.name}' has no readable {MANIFEST}: install the package "
            "again, or train the model with 'clinical-nlp train risk'",
        ) from None
    folder = trained / MODEL_FOLDER
    pairs = [(recorded, file_digests(folder)), (evidence, evidence_digests(trained))]
    changed = sorted(
        name
        for wanted, found in pairs
        for name in wanted.keys() | found.keys()
        if name != CARD and wanted.get(name) != found.get(name)
    )
    if changed or model_digest(folder) != digest:
        raise ModelError(
            "E412",
            f"the model in '{trained.name}' is not the one that was written "
            f"({', '.join(changed) or MANIFEST} changed): install the package again, or train "
            "the model with 'clinical-nlp train risk'",
        )
    return digest
