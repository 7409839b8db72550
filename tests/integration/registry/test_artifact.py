"""A model on disk: written, read, and refused where it is not what it should be."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer
from small_models import small_parts

from clinical_nlp.artifacts import MODEL_FOLDER, folder_digest
from clinical_nlp.errors import ModelError
from clinical_nlp.registry.artifact import describe, load_model, save_model
from clinical_nlp.risk.model_artifacts import ModelArtifacts


@pytest.fixture
def model(trained, tmp_path):
    """A copy of a written model, to be changed."""
    return shutil.copytree(trained / "fair" / MODEL_FOLDER, tmp_path / "model")


def test_load_model_returns_what_was_saved(model):
    parts, read = small_parts(0), load_model(model, folder_digest(model))
    assert read.spec == parts.spec
    for name, tensor in parts.tensors.items():
        np.testing.assert_array_equal(read.tensors[name], tensor)
    rows = np.full((3, len(parts.spec.features)), np.nan)
    rows[:, 0] = (50, 70, 90)
    assert (
        read.classifier.predict_proba(rows).tolist()
        == parts.classifier.predict_proba(rows).tolist()
    )


def test_saved_model_holds_no_pickle(model):
    names = {path.name for path in model.rglob("*") if path.is_file()}
    assert {"classifier.skops", "tensors.safetensors", "features.toml", "MLmodel"} <= names
    assert not any(name.endswith((".pkl", ".pickle", ".joblib", ".pt")) for name in names)
    assert not any(path.read_bytes()[:2] == b"\x80\x04" for path in model.rglob("*.*"))


def test_saved_model_has_provenance_and_signature(model):
    from mlflow.models import Model

    known = describe(model).metadata["knowledge"]
    assert set(known) == {
        "software", "pipeline", "reads_alike", "rules", "encoder", "lexicon", "features",
    }  # fmt: skip
    assert {"hf_findings", "es_assertion"} <= set(known["rules"])
    described = Model.load(str(model))
    assert described.signature.inputs.input_names() == ["record", "as_of"]
    example = described.load_input_example(str(model))
    assert example.as_of.tolist() == ["2024-06-30"]


def test_model_of_tensors_loads_without_classifier(tmp_path):
    parts = small_parts(0)
    alone = ModelArtifacts(None, replace(parts.spec, family="sequence"), parts.tensors)
    save_model(alone, tmp_path / "model")
    read = load_model(tmp_path / "model", folder_digest(tmp_path / "model"))
    assert read.classifier is None and read.spec.family == "sequence"


@pytest.mark.parametrize(
    "name", ["MLmodel", "data/risk/classifier.skops", "data/risk/tensors.safetensors"]
)
def test_load_model_with_changed_file_raises_e412(model, name):
    digest = folder_digest(model)
    path = model / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelError, match="E412"):
        load_model(model, digest)


def forge_code(model):
    """skops refuses a function of somebody else's; whoever forged it knows its digest."""
    skops.io.dump(FunctionTransformer(print), model / "data" / "risk" / "classifier.skops")


def forge_loader(model):
    text = (model / "MLmodel").read_text()
    forged = text.replace("clinical_nlp.registry.serving", "os")
    assert forged != text
    (model / "MLmodel").write_text(forged)


def forge_flavour(model):
    text = (model / "MLmodel").read_text()
    (model / "MLmodel").write_text(text.replace("flavors:", "flavors:\n  sklearn: {}"))


def cut_tensors(model):
    path = model / "data" / "risk" / "tensors.safetensors"
    path.write_bytes(path.read_bytes()[:100])


def not_yaml(model):
    (model / "MLmodel").write_text("{")


@pytest.mark.parametrize("forge", [forge_code, forge_loader, forge_flavour, cut_tensors, not_yaml])
def test_load_model_of_forged_model_with_fitting_digest_raises_e413(model, forge):
    forge(model)
    with pytest.raises(ModelError, match="E413"):
        load_model(model, folder_digest(model))


def test_mlflow_load_with_other_digest_in_environment_fails(model, monkeypatch):
    import mlflow.pyfunc

    monkeypatch.setenv("CLINICAL_NLP_MODEL_DIGEST", "0" * 16)
    with pytest.raises(ModelError, match="E412"):
        mlflow.pyfunc.load_model(str(model))
