"""A model on disk: one MLflow pyfunc of YAML, JSON, TOML, skops and safetensors.

MLflow would pickle a ``PythonModel``. This model names a module of this package as its
loader instead (``loader_module``), and none of its files can hold code. skops refuses types
that are not trusted; the list of trusted types is the package's, never the model's.

Layout of the folder::

    MLmodel                   signature; metadata: spec, provenance of the features
    data/risk/                classifier.skops     fitted scikit-learn object, if any
                              tensors.safetensors  arrays, if any
                              features.toml        the feature table it was trained with
    input_example.json, requirements.txt, conda.yaml, python_env.yaml
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clinical_nlp.artifacts import folder_digest
from clinical_nlp.errors import ModelError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.registry.schema import example_input, signature
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.model_artifacts import TRUSTED_TYPES, ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec

if TYPE_CHECKING:
    from mlflow.models import Model

#: Where MLflow puts the files below, inside the model.
DATA = Path("data") / "risk"
CLASSIFIER = "classifier.skops"
TENSORS = "tensors.safetensors"
FEATURES = "features.toml"

#: The module whose ``_load_pyfunc`` MLflow calls.
LOADER = "clinical_nlp.registry.serving"

#: Metadata keys of the MLmodel file: the model's spec, the provenance of its features.
SPEC = "clinical_nlp"
PROVENANCE = "knowledge"

_REQUIREMENTS = ("scikit-learn", "skops", "safetensors", "numpy", "pandas", "spacy", "medspacy")


def save_model(parts: ModelArtifacts, folder: Path) -> None:
    """Write a trained model as an MLflow model.

    Parameters
    ----------
    folder
        Must not exist.
    """
    import mlflow.pyfunc

    with tempfile.TemporaryDirectory(prefix="model-") as scratch:
        data = Path(scratch) / DATA.name
        data.mkdir()
        _write_data(parts, data)
        mlflow.pyfunc.save_model(
            str(folder),
            loader_module=LOADER,
            data_path=str(data),
            signature=signature(),
            input_example=example_input(),
            pip_requirements=[
                f"clinical-nlp=={version('clinical-nlp')}",
                *(f"{name}=={version(name)}" for name in _REQUIREMENTS),
            ],
            metadata={SPEC: parts.spec.to_metadata(), PROVENANCE: reading_provenance(parts.spec)},
        )


def load_model(folder: Path, digest: str) -> ModelArtifacts:
    """Verify a model's digest and load it.

    Parameters
    ----------
    folder
        The MLflow model.
    digest
        The digest recorded when it was registered or written.

    Raises
    ------
    ModelError
        E412: the files have another digest. E413, E415: as :func:`read_parts` says.
    """
    if folder_digest(folder) != digest:
        raise ModelError(
            "E412",
            "the model's files are not those that were registered (another digest): "
            "register the model again from a source you trust",
        )
    return read_parts(folder)


def read_parts(folder: Path) -> ModelArtifacts:
    """Read a model's files; nothing in them can run code.

    Raises
    ------
    ModelError
        E413: it is not a model of this package, or holds a type that is not trusted, or a
        file of it cannot be read. E415: its metadata lack the spec.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file
    from skops.io import get_untrusted_types, load
    from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException

    described = describe(folder)
    flavour = described.flavors.get("python_function", {})
    if flavour.get("loader_module") != LOADER or set(described.flavors) != {"python_function"}:
        raise _untrusted("it was not written by this package")
    spec = ModelSpec.from_metadata((described.metadata or {}).get(SPEC, {}))
    data = folder / DATA
    try:
        tensors = load_file(data / TENSORS) if (data / TENSORS).is_file() else {}
        classifier = None
        if (data / CLASSIFIER).is_file():
            untrusted = set(get_untrusted_types(file=data / CLASSIFIER)) - set(TRUSTED_TYPES)
            if untrusted:
                raise _untrusted("it holds types that are not trusted")
            classifier = load(data / CLASSIFIER, trusted=list(TRUSTED_TYPES))
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        SafetensorError,
        UnsupportedTypeException,
        UntrustedTypesFoundException,
    ) as error:
        raise _untrusted(f"a file of it cannot be read ({type(error).__name__})") from None
    return ModelArtifacts(classifier, spec, tensors)


def describe(folder: Path) -> Model:
    """Read a model's ``MLmodel`` file.

    Raises
    ------
    ModelError
        E413: there is none that can be read.
    """
    from mlflow.models import Model

    try:
        return Model.load(str(folder))
    except Exception as error:  # noqa: BLE001  # re-raised; a forged file may raise anything
        raise _untrusted(f"its MLmodel file cannot be read ({type(error).__name__})") from None


def _write_data(parts: ModelArtifacts, data: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file
    from skops.io import dump

    if parts.classifier is not None:
        dump(parts.classifier, data / CLASSIFIER)
    if parts.tensors:
        tensors = {name: np.ascontiguousarray(array) for name, array in parts.tensors.items()}
        save_file(tensors, data / TENSORS)
    table = resources.files("clinical_nlp.risk").joinpath("features.toml").read_text("utf-8")
    (data / FEATURES).write_text(table, "utf-8")


def _untrusted(what: str) -> ModelError:
    return ModelError(
        "E413",
        f"the model is not loaded: {what}. Only skops and safetensors files of trusted types "
        "are: train it with 'clinical-nlp train risk', or fetch it again",
    )


def reading_provenance(spec: ModelSpec) -> dict[str, Any]:
    """Return the provenance of a model's features: the lexicon, rules and encoder behind it.

    The same weights behind another lexicon are another model, so this record is kept in the
    MLmodel file. Versions and hex digests as JSON values; ``encoder`` is ``None`` without one.

    Parameters
    ----------
    spec
        Of the model: its ``pipeline`` is the fingerprint of the pipeline that read the
        training notes; ``reads_alike`` says whether the installed one is the same.
    """
    table = load_features()
    installed = _installed_pipeline()
    return {
        "software": version("clinical-nlp"),
        "pipeline": spec.pipeline,
        "reads_alike": spec.pipeline == installed["pipeline"],
        "rules": installed["components"],
        "encoder": installed["encoder"],
        "lexicon": load_lexicon().fingerprint,
        "features": {"version": table.version, "digest": table.digest},
    }


@lru_cache(maxsize=1)
def _installed_pipeline() -> dict[str, Any]:
    """Fingerprint of the installed pipeline, of each component, and its encoder."""
    import clinical_nlp
    from clinical_nlp.pipeline.assembly import fingerprint

    nlp = clinical_nlp.load()
    components = {
        name: hashlib.sha256(component.to_bytes()).hexdigest()
        for name, component in nlp.pipeline
        if hasattr(component, "to_bytes")
    }
    encoder = None
    for name in nlp.pipe_names:
        if nlp.get_pipe_meta(name).factory == "alia_encoder":
            encoder = {"component": name, **nlp.get_pipe_config(name)}
    return {"pipeline": fingerprint(nlp), "components": components, "encoder": encoder}


def expected_digest(folder: Path) -> str:
    """Return a model's digest after comparing it with ``CLINICAL_NLP_MODEL_DIGEST``, if set.

    MLflow does not check digests when it loads a model to serve it. The expected one is
    shown by 'clinical-nlp registry list'; 'clinical-nlp registry fetch' verifies it.

    Raises
    ------
    ModelError
        E412: the digests differ.
    """
    digest, wanted = folder_digest(folder), os.environ.get("CLINICAL_NLP_MODEL_DIGEST", "")
    if wanted and not digest.startswith(wanted):
        raise ModelError(
            "E412",
            "the model's files have another digest than CLINICAL_NLP_MODEL_DIGEST names: "
            "fetch the model again with 'clinical-nlp registry fetch'",
        )
    return digest
