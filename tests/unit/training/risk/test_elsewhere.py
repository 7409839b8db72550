"""A model on a cohort of other origin, beside age and sex refitted there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.bounds import feature_bounds
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.elsewhere import (
    elsewhere_markdown,
    evaluate_elsewhere,
    recalibrated_out_of_fold,
)
from clinical_nlp.training.risk.recipe import FitRecipe

_TABLE = load_features()
_RECIPE = FitRecipe(strengths=(0.01, 0.1), folds=3, seed=3, bootstrap=15, members=5)


def people(number: int, seed: int, level: float) -> Data:
    """Patients whose outcome depends on age alone; ``level`` is the intercept."""
    generator = np.random.default_rng(seed)
    born = generator.integers(1930, 1980, number)
    timelines = [
        Timeline(f"p{seed}-{i}", date(2024, 1, 1), Sex.MALE, date(int(year), 6, 1))
        for i, year in enumerate(born)
    ]
    z = level + (1955 - born) / 12
    outcome = (generator.random(number) < 1 / (1 + np.exp(-z))).astype(int)
    names = np.array([t.patient_id for t in timelines])
    features = feature_matrix(timelines, _TABLE)
    return Data(features, timelines, outcome, np.ones(number), names)


@pytest.fixture(scope="module")
def told():
    here, there = people(900, 1, -2.0), people(700, 2, -0.5)
    return evaluate_elsewhere(here, there, feature_bounds(here.features, _TABLE), _TABLE, _RECIPE)


def test_model_from_a_place_with_fewer_outcomes_underestimates_until_recalibrated(told):
    by_name = {row.name: row for row in told.models}
    assert by_name["the model"].observed_expected.value > 1.4
    after = by_name["the model, recalibrated there"]
    assert after.observed_expected.value == pytest.approx(1.0, abs=0.12)
    assert after.auroc.value == pytest.approx(by_name["the model"].auroc.value, abs=0.01)


def test_gain_is_against_age_and_sex_fitted_there_and_none_where_age_is_all(told):
    by_name = {row.name: row for row in told.models}
    assert by_name["age and sex, fitted there"].gain.value == 0.0
    assert abs(by_name["the model"].gain.value) < 0.03


def test_tables_name_every_model_worst_first(told):
    lines = list(elsewhere_markdown(told))
    values = [float(line.split("|")[2].split()[0]) for line in lines[2:9]]
    assert values == sorted(values) and len(values) == 7
    assert any("care seeking" in line for line in lines)


def test_recalibration_never_uses_the_outcomes_of_whom_it_is_measured_on():
    data = people(300, 5, -1.0)
    p = np.full(300, 0.2)
    moved = recalibrated_out_of_fold(data, p, _RECIPE)
    flipped = replace(data, outcome=1 - data.outcome)
    again = recalibrated_out_of_fold(flipped, p, _RECIPE)
    assert len(np.unique(moved.round(9))) <= _RECIPE.folds
    assert not np.allclose(moved, again)
