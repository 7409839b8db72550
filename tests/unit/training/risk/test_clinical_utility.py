from __future__ import annotations

import math

import numpy as np
import pytest

from clinical_nlp.training.risk.clinical_utility import (
    alerts,
    alerts_with_intervals,
    decision_curve,
    net_benefit,
    threshold_for,
)

Y = np.array([1, 0, 0, 1])
P = np.array([0.5, 0.4, 0.1, 0.05])
W = np.array([1.0, 3, 5, 1])


def test_alerts_count_weighted_patients_above_the_threshold():
    counts = alerts(Y, P, W, 0.3)
    assert (counts["per_1000"], counts["sensitivity"], counts["needed"]) == (400.0, 0.5, 4.0)
    assert counts["specificity"] == pytest.approx(5 / 8)
    assert alerts(Y, P, W, 0.9)["needed"] == math.inf


def test_alerts_with_intervals_of_equal_patients_have_no_width():
    y, p, w = (np.tile(column, 30) for column in (Y, P, W))
    people = np.repeat([str(i) for i in range(30)], 4)
    counts = alerts_with_intervals(y, p, w, people, 0.3, 50, 1)
    assert counts["per_1000"].low == counts["per_1000"].high == 400.0  # everyone is alike


def test_net_benefit_subtracts_false_positives_at_the_odds():
    """Vickers & Elkin 2006: true positives less false ones at the odds of the threshold."""
    above = P >= 0.3
    assert net_benefit(Y, above, W, 0.2) == pytest.approx(1000 * (0.1 - 0.3 * 0.25))
    assert net_benefit(Y, np.zeros(4, dtype=bool), W, 0.2) == 0


def test_decision_curve_of_a_perfect_model_is_never_below_everyone():
    perfect = Y.astype(float) * 0.9
    for row in decision_curve(Y, {"model": perfect}, W):
        assert row["model"] == pytest.approx(200.0)  # all outcomes, nobody else
        assert row["model"] >= row["everyone"]


def test_threshold_for_gives_the_number_of_alerts_asked():
    generator = np.random.default_rng(0)
    p, w = generator.random(5000), generator.uniform(0.5, 2, 5000)
    at = threshold_for(p, w, 60)
    assert alerts(np.zeros(5000, dtype=int), p, w, at)["per_1000"] == pytest.approx(60, abs=1)
