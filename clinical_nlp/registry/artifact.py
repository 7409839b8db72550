"""A model on disk: an MLflow folder of JSON, YAML and skops, with a digest over its files.

skops refuses types it does not trust, but MLflow reads the list of trusted types from
the model's own ``MLmodel`` file, so that a forged model could trust itself. Here the list
is ours, and a model is loaded only if its files have the digest that was recorded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.spec import ModelSpec

#: Folder of a shipped model that holds the MLflow model, and the file of its digest.
MODEL_FOLDER = "model"
MANIFEST = "manifest.json"

#: What skops may build beyond its own list: a dtype is data, not code.
TRUSTED_TYPES = ("numpy.dtype",)

#: Written by MLflow beside a model when it fetches one; no part of it.
_NOT_OURS = frozenset({"registered_model_meta"})

#: Metadata key that keeps our spec in the MLmodel file.
_SPEC = "clinical_nlp"


def file_digests(folder: Path) -> dict[str, str]:
    """Hex SHA-256 of each file of a model, by relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _NOT_OURS and "__pycache__" not in path.parts
    }


def model_digest(folder: Path) -> str:
    """Hex SHA-256 over the names and contents of a model's files."""
    content = json.dumps(file_digests(folder), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def write_manifest(shipped: Path) -> str:
    """Record a shipped model's digests in ``manifest.json``; return the model's digest."""
    folder = shipped / MODEL_FOLDER
    digest = model_digest(folder)
    manifest = {"digest": digest, "files": file_digests(folder)}
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    (shipped / MANIFEST).write_text(text, "utf-8")
    return digest


def verified_digest(shipped: Path) -> str:
    """Return a shipped model's digest after checking every file against the manifest.

    Raises
    ------
    ModelError
        E411: the manifest is missing or unreadable. E412: a file is not as recorded.
    """
    try:
        manifest = json.loads((shipped / MANIFEST).read_text("utf-8"))
        recorded, digest = dict(manifest["files"]), str(manifest["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(
            "E411",
            f"the model in '{shipped.name}' has no readable {MANIFEST}: install the package "
            "again, or train the model with 'clinical-nlp train risk'",
        ) from None
    folder = shipped / MODEL_FOLDER
    found = file_digests(folder)
    changed = sorted(
        name for name in recorded.keys() | found.keys() if recorded.get(name) != found.get(name)
    )
    if changed or model_digest(folder) != digest:
        raise ModelError(
            "E412",
            f"the model in '{shipped.name}' is not the one that was shipped "
            f"({', '.join(changed) or MANIFEST} changed): install the package again",
        )
    return digest


def save_model(
    classifier: object, spec: ModelSpec, example: Mapping[str, float], folder: Path
) -> None:
    """Write a fitted classifier as an MLflow model, skops inside.

    Parameters
    ----------
    classifier
        scikit-learn pipeline.
    spec
        What scoring needs besides.
    example
        One row of features, for the signature.
    folder
        Must not exist.
    """
    import mlflow.sklearn
    import pandas as pd
    import sklearn
    import skops
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    # Declared rather than inferred: every feature may be missing.
    inputs = Schema([ColSpec("double", name, required=True) for name in spec.features])
    frame = pd.DataFrame([example], columns=list(spec.features))
    output = classifier.predict_proba(frame.to_numpy())  # type: ignore[attr-defined]  # sklearn
    mlflow.sklearn.save_model(
        classifier,
        str(folder),
        serialization_format="skops",
        skops_trusted_types=list(TRUSTED_TYPES),
        pyfunc_predict_fn="predict_proba",
        signature=ModelSignature(
            inputs=inputs, outputs=mlflow.models.infer_signature(None, output).outputs
        ),
        pip_requirements=[
            f"scikit-learn=={sklearn.__version__}",
            f"skops=={skops.__version__}",
        ],
        metadata={_SPEC: spec.to_metadata()},
    )


def load_model(folder: Path, digest: str) -> tuple[Any, ModelSpec]:
    """Load a model through MLflow, if it is what it should be.

    Parameters
    ----------
    folder
        The MLflow model.
    digest
        The digest recorded when it was registered or shipped.

    Returns
    -------
    tuple
        The fitted classifier and its spec.

    Raises
    ------
    ModelError
        E412: the files have another digest. E413: it is not a skops model of trusted
        types. E415: its metadata lack the spec.
    """
    import mlflow.sklearn
    from mlflow.models import Model

    if model_digest(folder) != digest:
        raise ModelError(
            "E412",
            "the model's files are not those that were registered (another digest): "
            "register the model again from a source you trust",
        )
    described = Model.load(str(folder))
    flavour = described.flavors.get("sklearn", {})
    trusted = set(flavour.get("skops_trusted_types") or ())
    if flavour.get("serialization_format") != "skops" or not trusted <= set(TRUSTED_TYPES):
        raise ModelError(
            "E413",
            "the model is not a skops file of trusted types, and nothing else is loaded: "
            "save it with serialization_format='skops', or train it with "
            "'clinical-nlp train risk'",
        )
    spec = ModelSpec.from_metadata((described.metadata or {}).get(_SPEC, {}))
    return mlflow.sklearn.load_model(str(folder)), spec
