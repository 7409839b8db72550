"""Selection of the model family, and the bootstrap members of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.training.risk.assembly import logistic_members
from clinical_nlp.training.risk.candidates import transportable_features
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.logistic import Prior, fit_logistic
from clinical_nlp.training.risk.model_selection import nested_cv, simplest_family, tune_and_fit


class Column:
    """Predicts by one column, scaled by its setting; fitting only remembers who was seen."""

    def __init__(self, name: str, column: int, scales: Sequence[float] = (1.0,)) -> None:
        self.name = name
        self.settings: list[Mapping[str, float]] = [{"scale": s} for s in scales]
        self.column = column
        self.seen: list[set[str]] = []

    def fit(self, data: Data, setting: Mapping[str, float]) -> tuple[float, set[str]]:
        self.seen.append(set(data.patients.tolist()))
        return setting["scale"], self.seen[-1]

    def log_odds(self, model: tuple[float, set[str]], data: Data):
        scale, seen = model
        assert seen.isdisjoint(data.patients.tolist()), (
            "a patient is scored by a model fitted on that patient"
        )
        return scale * data.features[:, self.column] - 2


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(5)
    x = generator.normal(size=(1500, 3))
    x[:, 1] = x[:, 0]
    y = (generator.random(1500) < 1 / (1 + np.exp(2 - x[:, 0]))).astype(int)
    people = np.array([f"p{i // 3}" for i in range(1500)])
    return Data(x, [None] * 1500, y, np.ones(1500), people)


def test_simplest_family_of_two_equals_is_the_first_and_never_a_worse_one(data):
    noise, simple, same = Column("noise", 2), Column("simple", 1), Column("same", 0)
    results = nested_cv([noise, simple, same], data, folds=4, seed=1)
    assert simplest_family(results).name == "simple"
    assert results[0].excess > results[0].error > 0


def test_nested_cv_chooses_settings_without_the_outer_folds_patients(data):
    candidate = Column("c", 0, scales=(0.2, 1.0, 5.0))
    (result,) = nested_cv([candidate], data, folds=3, seed=1)
    assert all(setting["scale"] == 1.0 for setting in result.settings)
    assert len(candidate.seen) == 3 * (3 * 3 + 1)  # outer times (inner times settings, refit)
    assert tune_and_fit(candidate, data, 3, 1)[1] == {"scale": 1.0}


def test_logistic_members_spread_around_the_model_more_with_fewer_patients(data):
    prior = Prior(np.zeros(3, dtype=int), np.ones(3))

    def spread(data: Data) -> np.ndarray:
        model = fit_logistic(data.features, data.outcome, data.weight, 1.0, prior)
        members = logistic_members(model, data, 1.0, prior, 40, 3).members
        assert members.shape == (40, 4)
        middle = np.median(members[:, :3], axis=0)
        assert np.allclose(middle, model[-1].coef_[0], atol=0.3)
        return members.std(axis=0)

    few, many = spread(data.take(np.arange(300))), spread(data)
    assert (few > 1.3 * many)[2:].all()  # the twin columns share their weight either way


def test_transportable_features_are_those_patients_have_in_both_cohorts():
    """Not contacts, prescriptions or whether something was measured; nor what one cohort lacks."""
    table = load_features()
    generator = np.random.default_rng(2)
    here = generator.integers(0, 2, size=(200, len(table.names))).astype(float)
    there = here.copy()
    there[:, table.names.index("structured_diabetes")] = 0.0
    there[:, table.names.index("egfr")] = np.nan
    first, second = (
        Data(x, [None] * 200, np.zeros(200, dtype=int), np.ones(200), np.arange(200).astype(str))
        for x in (here, there)
    )
    chosen = transportable_features(table, first, second)
    assert {"age", "male", "structured_hypertension", "systolic_bp"} <= set(chosen)
    absent = {"structured_diabetes", "egfr", "contacts", "notes", "systolic_bp_missing"}
    assert absent.isdisjoint(chosen)
    assert not any(name.startswith("note_") for name in chosen)
    assert "structured_loop_diuretic" not in chosen
    assert {"structured_diabetes", "egfr"} <= set(transportable_features(table, first))
