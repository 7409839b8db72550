"""A small training run, end to end, over simulated patients and the real pipeline."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from clinical_nlp.artifacts import MODEL_FOLDER, shipped_folder
from clinical_nlp.errors import ModelError
from clinical_nlp.pipeline.assembly import fingerprint
from clinical_nlp.registry.artifact import load_model
from clinical_nlp.registry.manifest import verified_digest
from clinical_nlp.registry.store import mlflow_client
from clinical_nlp.registry.tracking import log_run, write_shipped
from clinical_nlp.risk.model_artifacts import ENSEMBLE
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.risk.recipe import Recipe, SequenceRecipe
from clinical_nlp.training.risk.sources import SIMULATED, simulated_cohort
from clinical_nlp.training.risk.train import train
from studies.risk_documentation import refreshed


@pytest.fixture(scope="module")
def recipe():
    shipped = read_recipe(shipped_folder("hf-risk") / "recipe.toml", Recipe)
    return shipped.replace(
        cohort=shipped.cohort.replace(
            simulated_patients=1100, controls_share=0.03, simulated_services=0
        ),
        fit=shipped.fit.replace(
            families=("logistic", "boosting", "sequence"),
            strengths=(0.003, 0.03),
            folds=2,
            bootstrap=20,
            members=10,
            boosting=shipped.fit.boosting.replace(iterations=10),
            sequence=SequenceRecipe(width=4, epochs=2),
        ),
    )


def train_on(recipe, nlp):
    cohort = simulated_cohort(recipe.cohort, nlp)
    return train(cohort, recipe, fingerprint(nlp), SIMULATED)


@pytest.fixture(scope="module")
def trained(recipe, nlp):
    return train_on(recipe, nlp)


def test_train_metrics_account_for_every_patient(trained, recipe):
    metrics = trained.metrics
    assert metrics["patients"] == recipe.cohort.simulated_patients
    assert 0 < metrics["patients_read"] < 200
    assert sum(part["patients"] for part in metrics["parts"].values()) <= metrics["patients_read"]
    for part in metrics["parts"].values():
        assert 0.001 < part["share"] < 0.06  # weighted back to the cohort's own prevalence


def test_train_compares_all_families_with_the_baselines(trained):
    """Near-perfect discrimination would mean a leak."""
    metrics = trained.metrics
    families = {"logistic", "boosting", "sequence"}
    assert {one["name"] for one in metrics["nested"]} == families | {"age and sex only"}
    assert sum(one["chosen"] for one in metrics["nested"]) == 1
    assert metrics["family"] in families
    assert set(metrics["test"]) == (families - {metrics["family"]}) | {
        "model", "age and sex only", "structured data only", "notes only",
    }  # fmt: skip
    assert 0.55 < metrics["test"]["model"]["auroc"]["value"] < 0.95
    assert {row["name"] for row in metrics["baselines"]} >= {
        "age and sex, refitted here", "PREVENT-HF, 10 years", "Framingham criteria met",
    }  # fmt: skip


def test_train_leakage_checks_pass(trained):
    assert len(trained.metrics["audit"]) >= 9
    assert all(check["passed"] for check in trained.metrics["audit"])


def test_train_subgroups_and_lead_times_are_of_everyone(trained):
    metrics = trained.metrics
    by_sex = [row for row in metrics["subgroups"] if row["group"] == "sex"]
    assert sum(row["patients"] for row in by_sex) == metrics["parts"]["everyone"]["patients"]
    for row in metrics["lead_time"]:
        assert row["alerted_0"]["value"] >= row["alerted_180"]["value"]


def test_train_predictions_have_neither_ids_nor_keys(trained):
    columns = trained.predictions["columns"]
    sizes = {len(column) for column in columns.values()}
    assert sizes == {trained.metrics["parts"]["everyone"]["examples"]}
    assert set(columns) == {
        "patient", "outcome", "weight", "probability", "sex", "age_band", "notes", "care_seeking",
        "language",
    }  # fmt: skip
    assert sorted(set(columns["patient"])) == list(range(max(columns["patient"]) + 1))
    assert sum(columns["outcome"]) == trained.metrics["parts"]["everyone"]["outcomes"]
    assert "s2024" not in json.dumps(trained.predictions)  # how simulated ids begin


def test_write_shipped_model_is_loaded_as_it_was(trained, tmp_path):
    digest = write_shipped(trained, tmp_path)
    assert verified_digest(tmp_path) == digest
    parts = load_model(tmp_path / MODEL_FOLDER, digest)
    assert parts.spec == trained.parts.spec
    if trained.parts.spec.family == "logistic":
        assert np.array_equal(parts.tensors[ENSEMBLE], trained.parts.tensors[ENSEMBLE])
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert not any(name.endswith((".pkl", ".pickle", ".joblib")) for name in names)
    card = (tmp_path / "card.md").read_text("utf-8")
    assert card.splitlines()[0] == "**Trained on a simulated cohort. Not for clinical use.**"
    assert json.loads((tmp_path / "metrics.json").read_text("utf-8")) == trained.metrics


def test_log_run_keeps_parameters_digest_and_figures_in_mlflow(trained, tmp_path):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    digest = write_shipped(trained, tmp_path / "hf-risk")
    run = mlflow_client(uri).get_run(log_run(trained, tmp_path / "hf-risk", digest, uri))
    assert run.data.params["cohort.gap_days"] == "30"
    assert run.data.params["fit.boosting.iterations"] == "10"
    assert run.data.tags["clinical_nlp.digest"] == digest
    names = {item.path for item in mlflow_client(uri).list_artifacts(run.info.run_id)}
    assert {"card.md", "metrics.json", "calibration.png", "decision_curve.png"} <= names


def test_train_with_too_few_outcomes_raises(recipe, nlp):
    few = recipe.replace(cohort=recipe.cohort.replace(simulated_patients=12))
    with pytest.raises(ModelError, match="E420"):
        train_on(few, nlp)


def test_train_risk_command_without_recipe_or_out_fails(tmp_path):
    from clinical_nlp.cli.train import app

    result = CliRunner().invoke(app, ["risk", "--config", str(tmp_path / "none.toml")])
    assert getattr(result.exception, "code", None) == "E120"
    shipped = str(shipped_folder("hf-risk") / "recipe.toml")
    result = CliRunner().invoke(app, ["risk", str(tmp_path), "--config", shipped])
    assert getattr(result.exception, "code", None) == "E122"


def test_refreshed_page_without_a_place_for_a_part_raises():
    page = "a\n<!-- results: begin -->\nold\n<!-- results: end -->\nb\n"
    assert refreshed(page, {"results": "new"}) == page.replace("old", "new")
    with pytest.raises(ValueError, match="features"):
        refreshed(page, {"features": "new"})
