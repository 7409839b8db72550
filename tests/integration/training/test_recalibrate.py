"""Moving a small model to another place, through the command and the code behind it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from clinical_nlp.artifacts import MODEL_FOLDER, shipped_folder
from clinical_nlp.cli.app import app
from clinical_nlp.errors import UsageError
from clinical_nlp.records import ModelReference
from clinical_nlp.registry.artifact import load_model, save_model
from clinical_nlp.registry.manifest import verified_digest, write_manifest
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.model import RiskModel
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec
from clinical_nlp.simulation import load_parameters, simulate_patients
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.risk.logistic import Prior, fit_sign_constrained
from clinical_nlp.training.risk.recalibration import (
    recalibrate_on_cohort,
    recalibrate_to_prevalence,
)
from clinical_nlp.training.risk.recipe import Recipe
from clinical_nlp.training.risk.transfer import (
    structured_cohort,
    transfer_between,
    transfer_markdown,
)

TABLE = load_features()


@pytest.fixture(scope="module")
def recipe():
    shipped = read_recipe(shipped_folder("hf-risk") / "recipe.toml", Recipe)
    fit = shipped.fit.replace(strengths=(0.003, 0.03), folds=3, bootstrap=20)
    return shipped.replace(fit=fit, cohort=shipped.cohort.replace(controls_share=0.1))


@pytest.fixture(scope="module")
def cohort(recipe):
    parameters = load_parameters()
    people = simulate_patients(1800, 5, parameters.as_of(parameters.end))
    days = (parameters.start, parameters.end)
    return structured_cohort((p.record for p in people), days, recipe.cohort)


@pytest.fixture(scope="module")
def parts(cohort):
    """A logistic model of the cohort whose level is far too low."""
    data = cohort.data(TABLE)
    columns = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    x = columns.fit_transform(data.features)
    weight = data.weight / data.weight.mean()
    regression = fit_sign_constrained(x, data.outcome, weight, 0.01, Prior.of(TABLE))
    spec = ModelSpec(
        features=TABLE.names, table_digest=TABLE.digest, reference=(0.0,) * len(TABLE.names),
        horizon_days=365, gap_days=30, min_age=40, max_age=100, cohort="nobody",
        pipeline="0" * 64, prevalence=0.01, calibration=(1.0, -1.5),
    )  # fmt: skip
    return ModelArtifacts(Pipeline([*columns.steps, ("classify", regression)]), spec)


@pytest.fixture
def folder(parts, tmp_path):
    """What a training run leaves."""
    home = tmp_path / "model"
    home.mkdir()
    save_model(parts, home / MODEL_FOLDER)
    (home / "card.md").write_text("**Not for clinical use.**\n", "utf-8")
    (home / "metrics.json").write_text(json.dumps({"test": {"model": {}}}), "utf-8")
    columns = {
        "patient": ["a", "b", "c", "d"], "index": ["1", "2", "3", "4"], "outcome": [0, 1, 0, 0],
        "weight": [1.0, 1.0, 1.0, 1.0], "probability": [0.01, 0.2, 0.02, 0.01],
    }  # fmt: skip
    (home / "predictions.json").write_text(json.dumps({"columns": columns}), "utf-8")
    write_manifest(home)
    return home


def test_recalibrate_on_cohort_corrects_the_level_and_keeps_the_ranking(parts, cohort, recipe):
    result = recalibrate_on_cohort(parts, cohort, recipe, {})
    assert result.line[0] == 1.0 and result.line[1] == pytest.approx(1.5, abs=0.4)
    assert result.after["auroc"] == result.before["auroc"]
    assert abs(result.after["calibration_intercept"].value) < 0.5
    assert result.before["calibration_intercept"].value > 0.8
    assert result.parts.classifier is parts.classifier
    again = recalibrate_on_cohort(
        result.parts, cohort, recipe, {}
    )  # a second time changes nothing more
    assert again.line[1] == pytest.approx(0, abs=1e-3)


def test_recalibrate_on_cohort_with_few_outcomes_for_a_slope_raises(parts, cohort, recipe):
    few = replace(cohort, examples=cohort.examples[:60])
    with pytest.raises(UsageError, match="E125"):
        recalibrate_on_cohort(parts, few, recipe, {}, free_slope=True)


def test_recalibrate_command_with_prevalence_moves_probabilities(folder, parts, tmp_path):
    out = tmp_path / "local"
    done = CliRunner().invoke(
        app, ["recalibrate", str(folder), "--prevalence", "3", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    moved = load_model(out / MODEL_FOLDER, verified_digest(out))
    rows = np.array([parts.spec.reference])
    reference = ModelReference("", "", "", "")
    old, new = (RiskModel(p, reference).probabilities(rows)[0] for p in (parts, moved))
    assert new < old  # the mean of the four rows is 6%
    assert "## Recalibrated" in (out / "card.md").read_text("utf-8")
    kept = json.loads((out / "predictions.json").read_text("utf-8"))
    assert np.mean(kept["columns"]["probability"]) == pytest.approx(0.03, abs=1e-6)
    assert kept["rivals"] == {verified_digest(folder): [0.01, 0.2, 0.02, 0.01]}


def test_recalibrate_to_prevalence_gives_that_mean_on_the_export(parts, cohort):
    """The mean of everybody at risk, by the recalibrated model itself."""
    reference = ModelReference("", "", "", "")
    data = cohort.data(TABLE)
    local = RiskModel(parts, reference).probabilities(data.features, data.timelines)
    columns = {"patient": [0, 1], "outcome": [0, 1], "weight": [1, 1], "probability": [0.1, 0.2]}
    result = recalibrate_to_prevalence(
        parts, 0.021, {"test": {}}, {"columns": columns}, local=local
    )
    moved = RiskModel(result.parts, reference).probabilities(data.features, data.timelines)
    assert moved.mean() == pytest.approx(0.021, abs=1e-5)
    assert result.metrics["recalibration"]["patients"] == len(data)


def test_recalibrate_to_prevalence_of_nobody_raises_e125(parts):
    columns = {"patient": [0], "outcome": [0], "weight": [1], "probability": [0.1]}
    with pytest.raises(UsageError, match="E125"):
        recalibrate_to_prevalence(parts, 0.02, {}, {"columns": columns}, local=np.zeros(0))


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ([], "E126"),
        (["--prevalence", "2"], "E127"),
        (["--prevalence", "0", "--out", "new"], "E124"),
    ],
)
def test_recalibrate_command_without_its_options_fails(folder, monkeypatch, tmp_path, more, code):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["recalibrate", str(folder), *more])
    assert getattr(done.exception, "code", None) == code


def test_transfer_between_two_cohorts_tests_within_and_across(cohort, recipe):
    half = len(cohort.examples) // 2
    first, second = (
        replace(cohort, examples=part) for part in (cohort.examples[:half], cohort.examples[half:])
    )
    rows = transfer_between(first, second, ("first", "second"), recipe.fit)
    assert {(r.trained, r.tested) for r in rows} == {
        ("first", "first"), ("first", "second"), ("second", "first"), ("second", "second"),
    }  # fmt: skip
    assert len(rows) == 12
    assert transfer_markdown(rows).count("\n") == 14
    for row in rows:
        assert 0.5 < row.measures["auroc"].value < 0.95
