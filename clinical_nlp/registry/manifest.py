"""The folder that training writes: its evidence, and the check that nothing was changed."""

from __future__ import annotations

from pathlib import Path

from clinical_nlp import artifacts
from clinical_nlp.artifacts import CARD, METRICS, changed_files, differing, file_digest
from clinical_nlp.errors import ModelError

#: Held-out predictions, which the promotion gate reads.
PREDICTIONS = "predictions.json"
#: What training writes beside the model for the promotion gate.
EVIDENCE = (CARD, METRICS, PREDICTIONS)


def evidence_digests(trained: Path) -> dict[str, str]:
    """Hex SHA-256 of card, metrics and predictions, of those that are there."""
    return {name: file_digest(trained / name) for name in EVIDENCE if (trained / name).is_file()}


def write_manifest(trained: Path) -> str:
    """Record a trained folder's digests in ``manifest.json``; return the model's digest."""
    return artifacts.write_manifest(trained, evidence=evidence_digests(trained))


def verified_digest(trained: Path) -> str:
    """Return a trained folder's digest after checking every file against the manifest.

    The card may differ from its digest: a service adds its own text to it.

    Raises
    ------
    ModelError
        E411: the manifest is missing or unreadable. E412: a file is not as recorded.
    """
    manifest = artifacts.read_manifest(trained)
    recorded = manifest.get("evidence")
    evidence = recorded if isinstance(recorded, dict) else {}
    changed = {*changed_files(trained), *differing(evidence, evidence_digests(trained))} - {CARD}
    if changed:
        raise ModelError(
            "E412",
            f"the model in '{trained.name}' is not the one that was written "
            f"({', '.join(sorted(changed))} changed): install the package again, or train "
            "the model with 'clinical-nlp train risk'",
        )
    return str(manifest["digest"])
