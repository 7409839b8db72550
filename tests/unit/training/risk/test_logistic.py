from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.training.risk.calibration import platt_scaling
from clinical_nlp.training.risk.logistic import (
    Prior,
    fit_logistic,
    fit_sign_constrained,
    reference_patient,
)
from clinical_nlp.training.risk.model_selection import SettingResult, simplest_setting


@pytest.fixture(scope="module")
def sample():
    generator = np.random.default_rng(2)
    x = generator.normal(size=(800, 5))
    y = (generator.random(800) < 1 / (1 + np.exp(2 - x[:, 0] + x[:, 1]))).astype(int)
    return x, y, np.where(y == 1, 0.5, 1.5)


def unconstrained(width):
    return Prior(np.zeros(width, dtype=int), np.ones(width))


def test_sign_constrained_without_signs_equals_scikit_learns_regression(sample):
    x, y, w = sample
    ours = fit_sign_constrained(x, y, w, 0.3, unconstrained(5))
    theirs = LogisticRegression(C=0.3, tol=1e-10, max_iter=9999).fit(x, y, sample_weight=w)
    assert np.allclose(ours.coef_, theirs.coef_, atol=1e-3)
    assert np.allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-3)


def test_sign_constrained_coefficients_keep_their_sign(sample):
    x, y, w = sample
    model = fit_sign_constrained(x, y, w, 1.0, Prior(np.array([-1, 1, 1, -1, 0]), np.ones(5)))
    assert model.coef_[0, 0] == 0 and model.coef_[0, 1] == 0  # the data say the opposite
    assert model.coef_[0, 2] >= 0 >= model.coef_[0, 3]


def test_sign_constrained_with_smaller_penalty_shrinks_less(sample):
    x, y, w = sample
    full = fit_sign_constrained(x, y, w, 0.001, unconstrained(5)).coef_[0, 0]
    reduced = fit_sign_constrained(
        x, y, w, 0.001, Prior(unconstrained(5).direction, np.array([0.1, 1, 1, 1, 1]))
    )
    assert reduced.coef_[0, 0] > 1.2 * full


def test_platt_scaling_of_extreme_log_odds_shrinks_them(sample):
    x, y, w = sample
    z = fit_logistic(x[:500], y[:500], w[:500], 0.5, unconstrained(5)).decision_function(x)
    slope, shift = platt_scaling(y[500:], z[500:], w[500:])
    again, nothing = platt_scaling(y[500:], slope * z[500:] + shift, w[500:])
    assert again == pytest.approx(1, abs=1e-4) and nothing == pytest.approx(0, abs=1e-4)
    assert platt_scaling(y[500:], 3 * z[500:], w[500:])[0] == pytest.approx(slope / 3, rel=1e-3)


def test_platt_scaling_of_reversed_ranking_keeps_slope_one(sample):
    x, y, w = sample
    model = fit_logistic(x, y, w, 0.5, unconstrained(5))
    assert platt_scaling(1 - y, model.decision_function(x), w)[0] == 1.0


def test_sign_constrained_from_a_warm_start_reaches_the_same_optimum(sample):
    x, y, w = sample
    cold = fit_sign_constrained(x, y, w, 0.3, unconstrained(5))
    warm = fit_sign_constrained(x, y, w, 0.3, unconstrained(5), np.array([5.0, -3, 2, 1, -1, 0]))
    assert np.allclose(cold.coef_, warm.coef_, atol=1e-3)


def test_reference_patient_has_the_medians_of_measured_patients():
    x = np.array([[1.0, np.nan, np.nan], [3.0, 7.0, np.nan], [2.0, np.nan, np.nan]])
    assert reference_patient(x) == (2.0, 7.0, 0.0)


def test_simplest_setting_within_one_standard_error_is_chosen():
    far = SettingResult({"strength": 0.001}, (0.150, 0.250, 0.350))
    near = SettingResult({"strength": 0.01}, (0.110, 0.199, 0.301))
    best = SettingResult({"strength": 0.1}, (0.100, 0.200, 0.300))
    assert simplest_setting([far, near, best]) is near


def test_prior_of_the_feature_table_has_its_directions():
    table = load_features()
    prior = Prior.of(table)
    direction = dict(zip(table.names, prior.direction.tolist(), strict=True))
    assert direction["note_edema_days"] == 1 and direction["note_edema_denied"] == -1
    assert direction["egfr"] == -1 and direction["egfr_missing"] == 0
    assert direction["note_copd"] == 0
