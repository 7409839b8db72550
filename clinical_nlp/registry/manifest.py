"""What a folder written by training should hold: a digest of the model, one of each file.

The digest of a model is over the names and contents of its files, so that it is the same
wherever the model is copied to, and any change gives another.
"""

from __future__ import annotations

from pathlib import Path

from clinical_nlp import artifacts as shipping
from clinical_nlp.artifacts import MANIFEST, MODEL_FOLDER, digest_of, file_digest, folder_digests
from clinical_nlp.errors import ModelError

__all__ = [
    "CARD",
    "EVIDENCE",
    "MANIFEST",
    "METRICS",
    "MODEL_FOLDER",
    "PREDICTIONS",
    "evidence_digests",
    "file_digest",
    "file_digests",
    "model_digest",
    "verified_digest",
    "write_manifest",
]

#: What training writes beside the model and the promotion gate reads.
CARD, METRICS, PREDICTIONS = "card.md", "metrics.json", "predictions.json"
EVIDENCE = (CARD, METRICS, PREDICTIONS)

#: Written by MLflow beside a model when it fetches one; no part of it.
_NOT_OURS = frozenset({"registered_model_meta"})


def file_digests(folder: Path) -> dict[str, str]:
    """Hex SHA-256 of each file of a model, by relative path."""
    return folder_digests(folder, leaving_out=_NOT_OURS)


def model_digest(folder: Path) -> str:
    """Hex SHA-256 over the names and contents of a model's files."""
    return digest_of(file_digests(folder))


def evidence_digests(trained: Path) -> dict[str, str]:
    """Hex SHA-256 of the card, the metrics and the predictions, of those that are there."""
    return {name: file_digest(trained / name) for name in EVIDENCE if (trained / name).is_file()}


def write_manifest(trained: Path) -> str:
    """Record a trained folder's digests in ``manifest.json``; return the model's digest."""
    return shipping.write_manifest(trained, evidence=evidence_digests(trained))


def verified_digest(trained: Path) -> str:
    """Return a trained folder's digest after checking every file against the manifest.

    The card is not held to its digest: a service adds its own words to it.

    Raises
    ------
    ModelError
        E411: the manifest is missing or unreadable. E412: a file is not as recorded.
    """
    manifest = shipping.read_manifest(trained)
    recorded: dict[str, str] = manifest["files"]
    digest: str = manifest["digest"]
    told = manifest.get("evidence")
    evidence: dict[str, str] = told if isinstance(told, dict) else {}
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
