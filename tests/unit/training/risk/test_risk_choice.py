"""Which kind of model wins, and what its bootstrap members say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pytest

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.candidates import portable
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.ensemble import logistic_members
from clinical_nlp.training.risk.fit import fit
from clinical_nlp.training.risk.nested import fit_best, nested, winner
from clinical_nlp.training.risk.recipe import FitRecipe
from clinical_nlp.training.risk.sign_constrained import Prior
from studies.linear_model_ablation import ablation_markdown, compare


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
        assert seen.isdisjoint(data.patients.tolist()), "a patient is judged by a model of theirs"
        return scale * data.features[:, self.column] - 2


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(5)
    x = generator.normal(size=(1500, 3))
    x[:, 1] = x[:, 0]
    y = (generator.random(1500) < 1 / (1 + np.exp(2 - x[:, 0]))).astype(int)
    people = np.array([f"p{i // 3}" for i in range(1500)])
    return Data(x, [None] * 1500, y, np.ones(1500), people)


def test_the_simpler_of_two_equals_wins_and_a_worse_one_does_not(data):
    noise, simple, same = Column("noise", 2), Column("simple", 1), Column("same", 0)
    judged = nested([noise, simple, same], data, folds=4, seed=1)
    assert winner(judged).name == "simple"
    assert judged[0].worse > judged[0].error > 0


def test_a_setting_is_chosen_without_the_outer_folds_patients(data):
    candidate = Column("c", 0, scales=(0.2, 1.0, 5.0))
    (judged,) = nested([candidate], data, folds=3, seed=1)
    assert all(setting["scale"] == 1.0 for setting in judged.settings)
    assert len(candidate.seen) == 3 * (3 * 3 + 1)  # outer times (inner times settings, refit)
    assert fit_best(candidate, data, 3, 1)[1] == {"scale": 1.0}


def test_members_spread_round_the_model_and_more_with_fewer_patients(data):
    prior = Prior(np.zeros(3, dtype=int), np.ones(3))

    def spread(some: Data) -> np.ndarray:
        model = fit(some.features, some.outcome, some.weight, 1.0, prior)
        members = logistic_members(model, some, some, 1.0, prior, 40, 3)
        assert members.shape == (40, 4)
        middle = np.median(members[:, :3], axis=0)
        assert np.allclose(middle, model[-1].coef_[0], atol=0.3)
        return members.std(axis=0)

    few, many = spread(data.take(np.arange(300))), spread(data)
    assert (few > 1.3 * many)[2:].all()  # the twin columns share their weight either way


def test_what_travels_is_what_patients_have_in_both_cohorts():
    """Not what a service does: contacts, prescriptions, whether it measured; nor what one lacks."""
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
    chosen = portable(table, first, second)
    assert {"age", "male", "structured_hypertension", "systolic_bp"} <= set(chosen)
    absent = {"structured_diabetes", "egfr", "contacts", "notes", "systolic_bp_missing"}
    assert absent.isdisjoint(chosen)
    assert not any(name.startswith("note_") for name in chosen)
    assert "structured_loop_diuretic" not in chosen
    assert {"structured_diabetes", "egfr"} <= set(portable(table, first))


def test_every_choice_of_the_linear_model_has_its_worth():
    """Here risk levels off at 75, so that a straight line of age does worse."""
    table, generator = load_features(), np.random.default_rng(9)
    ages = generator.integers(40, 95, 6000)
    lines = [Timeline(f"p{i}", date(2024, 6, 1), Sex.MALE, date(2024 - a, 1, 1))
             for i, a in enumerate(ages.tolist())]  # fmt: skip
    risk = 1 / (1 + np.exp(-(np.minimum(ages, 75) - 70) / 6))
    people = np.array([line.patient_id for line in lines])
    outcome = (generator.random(6000) < risk).astype(int)
    data = Data(feature_matrix(lines, table), lines, outcome, np.ones(6000), people)
    recipe = FitRecipe(strengths=(0.1,), folds=2, seed=1, bootstrap=1)
    rows = {row.name: row for row in compare(data, table, recipe)}
    assert rows["as it is"].worse == 0 and rows["as it is"].error == 0
    straight = rows["a straight line of age"]
    assert straight.worse > 2 * straight.error > 0
    assert straight.oldest < rows["as it is"].oldest
    assert len(ablation_markdown(list(rows.values())).splitlines()) == 2 + len(rows)
