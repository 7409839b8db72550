from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from clinical_nlp.training.risk.measures import (
    assess,
    calibration_curve,
    calibration_line,
    expected_calibration_error,
    logistic_line,
)


@pytest.fixture(scope="module")
def sample():
    generator = np.random.default_rng(3)
    z = generator.normal(-2, 1.2, 4000)
    y = (generator.random(4000) < 1 / (1 + np.exp(-z))).astype(int)
    return y, 1 / (1 + np.exp(-z)), np.ones(4000)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.05, -4.0), (5.0, 3.0)])
def test_the_line_is_the_one_scikit_learn_finds(sample, scale, shift):
    y, p, _ = sample
    x = scale * np.log(p / (1 - p)) + shift
    weight = np.where(y == 1, 1.0, 8.3)
    library = LogisticRegression(C=np.inf, tol=1e-10, max_iter=9999).fit(
        x[:, None], y, sample_weight=weight
    )
    intercept, slope = logistic_line(y, x, weight)
    assert intercept == pytest.approx(library.intercept_[0], rel=1e-3, abs=1e-3)
    assert slope == pytest.approx(library.coef_[0, 0], rel=1e-3)


def test_true_probabilities_are_calibrated_and_distorted_ones_are_not(sample):
    y, p, w = sample
    intercept, slope = calibration_line(y, p, w)
    assert intercept == pytest.approx(0, abs=0.1) and slope == pytest.approx(1, abs=0.1)
    odds = np.log(p / (1 - p))
    extreme = 1 / (1 + np.exp(-2 * odds))
    assert calibration_line(y, extreme, w)[1] == pytest.approx(slope / 2, rel=1e-6)
    high = 1 / (1 + np.exp(-odds - 1))
    assert calibration_line(y, high, w)[0] == pytest.approx(intercept - 1, abs=1e-6)
    assert expected_calibration_error(y, high, w) > 3 * expected_calibration_error(y, p, w)


def test_weights_stand_for_patients_that_were_not_read(sample):
    """Half of the controls, each counted twice, measure as all of them do."""
    y, p, w = sample
    kept = (y == 1) | (np.arange(len(y)) % 2 == 0)
    weight = np.where(y == 1, 1.0, 2.0)[kept]
    whole = assess(y, p, w, [str(i) for i in range(len(y))], 2, 0)
    half = assess(y[kept], p[kept], weight, [str(i) for i in range(kept.sum())], 2, 0)
    for name in ("auroc", "auprc", "brier", "calibration_slope"):
        assert half[name].value == pytest.approx(whole[name].value, rel=0.08), name


def test_intervals_hold_their_value_and_depend_on_the_seed_alone(sample):
    y, p, w = (column[:500] for column in sample)
    patients = [str(i // 3) for i in range(500)]
    first, again = (assess(y, p, w, patients, 40, 5) for _ in range(2))
    assert first == again
    assert first["auroc"].low < first["auroc"].value < first["auroc"].high


def test_the_curve_covers_everyone(sample):
    y, p, w = sample
    curve = calibration_curve(y, p, w)
    assert len(curve) == 10 and sum(n for *_, n in curve) == pytest.approx(len(y))
    assert [a for a, *_ in curve] == sorted(a for a, *_ in curve)
