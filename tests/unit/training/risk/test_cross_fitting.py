"""Fitting on everyone, and measuring each patient by a model that has not seen the patient."""

from __future__ import annotations

import numpy as np
import pytest

from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.training.risk.assembly import log_odds_by_age_and_sex, logistic_members
from clinical_nlp.training.risk.calibrated_model import fit_calibrated
from clinical_nlp.training.risk.calibration import fit_calibration_line
from clinical_nlp.training.risk.candidates import LogisticCandidate, age_and_sex_baseline
from clinical_nlp.training.risk.cross_fitting import fit_all, out_of_fold
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.logistic import Prior, fit_logistic
from clinical_nlp.training.risk.measures import assess
from clinical_nlp.training.risk.model_selection import Selection, fold_of_examples, nested_cv
from clinical_nlp.training.risk.recipe import FitRecipe

_RECIPE = FitRecipe(strengths=(0.1, 1.0), folds=4, seed=3, bootstrap=20, members=10)


class Memory:
    """Knows the outcome of whom it was fitted on, and nothing of others: pure overfitting."""

    name = "memory"
    settings = ({"depth": 1.0},)

    def fit(self, data: Data, setting: object) -> dict[str, int]:
        return dict(zip(data.patients.tolist(), data.outcome.tolist(), strict=True))

    def log_odds(self, model: dict[str, int], data: Data) -> np.ndarray:
        return np.array([6.0 * model.get(p, 0.5) - 3 for p in data.patients.tolist()])


def made_up(number: int, seed: int, columns: int = 3) -> Data:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(number, columns))
    y = (generator.random(number) < 1 / (1 + np.exp(2 - x[:, 0]))).astype(int)
    people = np.array([f"p{i // 2}" for i in range(number)])
    return Data(x, [None] * number, y, generator.uniform(1, 8, number), people)


def selection_of(candidate, data: Data) -> Selection:
    results = nested_cv([candidate, candidate], data, _RECIPE.folds, _RECIPE.seed)
    fold = fold_of_examples(data, _RECIPE)
    return Selection(candidate, (candidate,), tuple(results), results[1], fold)


def test_model_that_only_remembers_is_measured_at_chance():
    data = made_up(400, 1)
    models = fit_all(selection_of(Memory(), data), data, _RECIPE)
    measured = assess(data.outcome, models.selected.out_of_fold, data.weight, data.patients, 20, 1)
    assert measured["auroc"].value == pytest.approx(0.5, abs=0.08)
    final = models.selected.final.candidate.log_odds(models.selected.final.model, data)
    assert (final[data.outcome == 1] == 3).any()  # the final model has seen everyone


def test_held_out_scores_are_those_out_of_fold_and_strangers_get_the_final_model():
    table, data = load_features(), made_up(600, 2, columns=len(load_features().names))
    models = fit_all(selection_of(LogisticCandidate("l", table, [0.1]), data), data, _RECIPE)
    selected = models.selected
    assert np.allclose(selected.held_out(data), selected.out_of_fold)
    assert not np.allclose(selected.final.probability(data), selected.out_of_fold)
    strangers = Data(data.features, data.timelines, data.outcome, data.weight,
                     np.array([f"x{p}" for p in data.patients]))  # fmt: skip
    assert np.allclose(selected.held_out(strangers), selected.final.probability(data))
    _, slope = fit_calibration_line(
        data.outcome, np.log(selected.out_of_fold / (1 - selected.out_of_fold)), data.weight
    )
    assert slope == pytest.approx(1.0, abs=0.35)


def test_out_of_fold_never_scores_a_patient_with_a_model_that_saw_the_patient():
    data = made_up(300, 4)
    fold = fold_of_examples(data, _RECIPE)
    seen = out_of_fold(Memory(), {"depth": 1.0}, data, fold)
    by_fold = {round(float(p), 9) for p in seen}
    assert len(by_fold) <= _RECIPE.folds  # one answer a fold: it knows nobody


def test_bootstrap_finds_the_optimism_of_fitting_noise():
    """Forty columns of noise on 300 examples: the corrected AUROC is nearer to the truth."""
    generator = np.random.default_rng(8)
    noise, y = generator.normal(size=(300, 40)), (generator.random(300) < 0.3).astype(int)
    data = Data(noise, [None] * 300, y, np.ones(300), np.arange(300).astype(str))
    prior = Prior(np.zeros(40, dtype=int), np.ones(40))
    model = fit_logistic(data.features, data.outcome, data.weight, 1.0, prior)
    told = logistic_members(model, data, 1.0, prior, 30, 1).corrected
    assert told["apparent_auroc"] > 0.7
    assert abs(told["corrected_auroc"] - 0.5) < abs(told["apparent_auroc"] - 0.5) / 2
    assert told["corrected_slope"] < told["apparent_slope"]


def test_weights_by_age_and_sex_give_the_baselines_own_log_odds():
    table = load_features()
    data = made_up(500, 6, columns=len(table.names))
    baseline = age_and_sex_baseline(table, _RECIPE)
    fitted = fit_calibrated(baseline, {"strength": 1.0}, data, data)
    weights = log_odds_by_age_and_sex(fitted, table)
    z = weights["intercept"] + sum(
        weight * data.features[:, table.names.index(name)]
        for name, weight in weights.items()
        if name != "intercept"
    )
    assert np.allclose(1 / (1 + np.exp(-z)), fitted.probability(data))
