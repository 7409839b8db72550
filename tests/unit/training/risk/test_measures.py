from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from clinical_nlp.training.risk.calibration import (
    calibration_curve,
    calibration_intercept_slope,
    expected_calibration_error,
    fit_calibration_line,
)
from clinical_nlp.training.risk.measures import assess


@pytest.fixture(scope="module")
def sample():
    generator = np.random.default_rng(3)
    z = generator.normal(-2, 1.2, 4000)
    y = (generator.random(4000) < 1 / (1 + np.exp(-z))).astype(int)
    return y, 1 / (1 + np.exp(-z)), np.ones(4000)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.05, -4.0), (5.0, 3.0)])
def test_fit_calibration_line_equals_scikit_learns(sample, scale, shift):
    y, p, _ = sample
    x = scale * np.log(p / (1 - p)) + shift
    weight = np.where(y == 1, 1.0, 8.3)
    library = LogisticRegression(C=np.inf, tol=1e-10, max_iter=9999).fit(
        x[:, None], y, sample_weight=weight
    )
    intercept, slope = fit_calibration_line(y, x, weight)
    assert intercept == pytest.approx(library.intercept_[0], rel=1e-3, abs=1e-3)
    assert slope == pytest.approx(library.coef_[0, 0], rel=1e-3)


def test_calibration_measures_of_distorted_probabilities_show_the_distortion(sample):
    y, p, w = sample
    intercept, slope = calibration_intercept_slope(y, p, w)
    assert intercept == pytest.approx(0, abs=0.1) and slope == pytest.approx(1, abs=0.1)
    odds = np.log(p / (1 - p))
    extreme = 1 / (1 + np.exp(-2 * odds))
    assert calibration_intercept_slope(y, extreme, w)[1] == pytest.approx(slope / 2, rel=1e-6)
    high = 1 / (1 + np.exp(-odds - 1))
    assert calibration_intercept_slope(y, high, w)[0] == pytest.approx(intercept - 1, abs=1e-6)
    assert expected_calibration_error(y, high, w) > 3 * expected_calibration_error(y, p, w)


def test_assess_of_weighted_controls_equals_that_of_all(sample):
    """Half of the controls, each counted twice, measure as all of them do."""
    y, p, w = sample
    read = (y == 1) | (np.arange(len(y)) % 2 == 0)
    weight = np.where(y == 1, 1.0, 2.0)[read]
    whole = assess(y, p, w, [str(i) for i in range(len(y))], 2, 0)
    half = assess(y[read], p[read], weight, [str(i) for i in range(read.sum())], 2, 0)
    for name in ("auroc", "auprc", "brier", "calibration_slope"):
        assert half[name].value == pytest.approx(whole[name].value, rel=0.08), name


def test_assess_intervals_hold_the_value_and_depend_on_the_seed_alone(sample):
    y, p, w = (column[:500] for column in sample)
    patients = [str(i // 3) for i in range(500)]
    first, again = (assess(y, p, w, patients, 40, 5) for _ in range(2))
    assert first == again
    assert first["auroc"].low < first["auroc"].value < first["auroc"].high


def test_calibration_curve_covers_all_examples_in_order_of_risk(sample):
    y, p, w = sample
    curve = calibration_curve(y, p, w)
    assert len(curve) == 10 and sum(n for *_, n in curve) == pytest.approx(len(y))
    assert [a for a, *_ in curve] == sorted(a for a, *_ in curve)
