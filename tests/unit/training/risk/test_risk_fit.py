from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.training.risk.fit import fit, platt, reference_patient
from clinical_nlp.training.risk.nested import Choice, simplest
from clinical_nlp.training.risk.sign_constrained import Prior, fit_bounded


@pytest.fixture(scope="module")
def sample():
    generator = np.random.default_rng(2)
    x = generator.normal(size=(800, 5))
    y = (generator.random(800) < 1 / (1 + np.exp(2 - x[:, 0] + x[:, 1]))).astype(int)
    return x, y, np.where(y == 1, 0.5, 1.5)


def free(width):
    return Prior(np.zeros(width, dtype=int), np.ones(width))


def test_without_bounds_it_is_scikit_learns_own_regression(sample):
    x, y, w = sample
    ours = fit_bounded(x, y, w, 0.3, free(5))
    theirs = LogisticRegression(C=0.3, tol=1e-10, max_iter=9999).fit(x, y, sample_weight=w)
    assert np.allclose(ours.coef_, theirs.coef_, atol=1e-3)
    assert np.allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-3)


def test_weights_keep_their_direction(sample):
    x, y, w = sample
    model = fit_bounded(x, y, w, 1.0, Prior(np.array([-1, 1, 1, -1, 0]), np.ones(5)))
    assert model.coef_[0, 0] == 0 and model.coef_[0, 1] == 0  # the data say the opposite
    assert model.coef_[0, 2] >= 0 >= model.coef_[0, 3]


def test_a_smaller_penalty_shrinks_less(sample):
    x, y, w = sample
    usual = fit_bounded(x, y, w, 0.001, free(5)).coef_[0, 0]
    spared = fit_bounded(x, y, w, 0.001, Prior(free(5).direction, np.array([0.1, 1, 1, 1, 1])))
    assert spared.coef_[0, 0] > 1.2 * usual


def test_platt_scaling_mends_what_is_too_extreme(sample):
    x, y, w = sample
    z = fit(x[:500], y[:500], w[:500], 0.5, free(5)).decision_function(x)
    slope, shift = platt(y[500:], z[500:], w[500:])
    again, nothing = platt(y[500:], slope * z[500:] + shift, w[500:])
    assert again == pytest.approx(1, abs=1e-4) and nothing == pytest.approx(0, abs=1e-4)
    assert platt(y[500:], 3 * z[500:], w[500:])[0] == pytest.approx(slope / 3, rel=1e-3)


def test_calibration_never_turns_the_ranking_round(sample):
    x, y, w = sample
    model = fit(x, y, w, 0.5, free(5))
    assert platt(1 - y, model.decision_function(x), w)[0] == 1.0


def test_a_warm_start_ends_where_a_cold_one_does(sample):
    x, y, w = sample
    cold = fit_bounded(x, y, w, 0.3, free(5))
    warm = fit_bounded(x, y, w, 0.3, free(5), np.array([5.0, -3, 2, 1, -1, 0]))
    assert np.allclose(cold.coef_, warm.coef_, atol=1e-3)


def test_the_reference_patient_has_the_medians_of_those_who_were_measured():
    x = np.array([[1.0, np.nan, np.nan], [3.0, 7.0, np.nan], [2.0, np.nan, np.nan]])
    assert reference_patient(x) == (2.0, 7.0, 0.0)


def test_the_simplest_choice_within_one_error_wins():
    far = Choice({"strength": 0.001}, (0.150, 0.250, 0.350))
    near = Choice({"strength": 0.01}, (0.110, 0.199, 0.301))
    best = Choice({"strength": 0.1}, (0.100, 0.200, 0.300))
    assert simplest([far, near, best]) is near


def test_the_feature_tables_directions_reach_their_features():
    table = load_features()
    prior = Prior.of(table)
    direction = dict(zip(table.names, prior.direction.tolist(), strict=True))
    assert direction["note_edema_days"] == 1 and direction["note_edema_denied"] == -1
    assert direction["egfr"] == -1 and direction["egfr_missing"] == 0
    assert direction["note_copd"] == 0
