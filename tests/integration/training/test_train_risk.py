"""A small training run, end to end, over simulated patients and the real pipeline."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from clinical_nlp.errors import ModelError
from clinical_nlp.registry.artifact import MODEL_FOLDER, load_model, verified_digest
from clinical_nlp.registry.shipped import shipped_folder
from clinical_nlp.registry.store import client_of
from clinical_nlp.registry.tracking import log_run, write_shipped
from clinical_nlp.registry.versions import register_folder
from clinical_nlp.training.recipe import read_recipe
from clinical_nlp.training.train import train_on_simulation


@pytest.fixture(scope="module")
def recipe():
    shipped = read_recipe(shipped_folder("hf-risk") / "recipe.toml")
    return replace(
        shipped,
        cohort=replace(shipped.cohort, simulated_patients=1100, controls_share=0.03),
        fit=replace(shipped.fit, strengths=(0.003, 0.03), folds=2, bootstrap=20),
    )


@pytest.fixture(scope="module")
def trained(recipe, nlp):
    return train_on_simulation(recipe, nlp)


def test_every_patient_is_accounted_for(trained, recipe):
    assert trained.patients == recipe.cohort.simulated_patients
    assert 0 < trained.read < 200
    assert sum(part.patients for part in trained.parts.values()) <= trained.read
    for part in trained.parts.values():
        assert 0.001 < part.share < 0.06  # weighted back to the cohort's own prevalence


def test_it_learns_something_and_nothing_too_good(trained):
    """Beside its baselines; near-perfect discrimination would mean a leak."""
    assert set(trained.measures) == {
        "model", "age and sex only", "structured data only", "notes only",
    }  # fmt: skip
    assert 0.55 < trained.measures["model"]["auroc"].value < 0.97


def test_what_is_written_is_what_is_loaded(trained, tmp_path):
    digest = write_shipped(trained, tmp_path)
    assert verified_digest(tmp_path) == digest
    classifier, spec = load_model(tmp_path / MODEL_FOLDER, digest)
    assert spec == trained.spec
    row = [list(trained.spec.reference)]
    assert classifier.predict_proba(row).tolist() == trained.classifier.predict_proba(row).tolist()
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert not any(name.endswith((".pkl", ".pickle", ".joblib")) for name in names)
    card = (tmp_path / "card.md").read_text("utf-8")
    assert card.splitlines()[0] == "**Trained on a simulated cohort. Not for clinical use.**"
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert told["test"]["model"]["auroc"]["value"] == pytest.approx(
        trained.measures["model"]["auroc"].value, abs=1e-6
    )


def test_the_run_is_in_mlflow_without_anyones_text(trained, tmp_path):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    digest = write_shipped(trained, tmp_path / "hf-risk")
    run = client_of(uri).get_run(log_run(trained, tmp_path / "hf-risk", digest, uri))
    assert run.data.params["cohort.gap_days"] == "30"
    assert run.data.tags["clinical_nlp.digest"] == digest
    assert run.data.metrics["model.auroc"] == trained.measures["model"]["auroc"].value
    names = {item.path for item in client_of(uri).list_artifacts(run.info.run_id)}
    assert names == {"calibration.png", "card.md", "manifest.json", "metrics.json", "model"}
    assert register_folder(tmp_path / "hf-risk", "", uri).version == "1"


def test_too_few_outcomes_are_an_error_with_a_remedy(recipe, nlp):
    few = replace(recipe, cohort=replace(recipe.cohort, simulated_patients=12))
    with pytest.raises(ModelError, match="E420"):
        train_on_simulation(few, nlp)


def test_the_command_says_what_it_needs(tmp_path):
    from clinical_nlp.cli.train import app

    result = CliRunner().invoke(app, ["risk", "--config", str(tmp_path / "none.toml")])
    assert result.exit_code != 0
    assert getattr(result.exception, "code", None) == "E120"
