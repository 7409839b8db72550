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


def test_alerts_count_what_a_practice_would_see():
    found = alerts(Y, P, W, 0.3)
    assert (found["per_1000"], found["sensitivity"], found["needed"]) == (400.0, 0.5, 4.0)
    assert found["specificity"] == pytest.approx(5 / 8)
    assert alerts(Y, P, W, 0.9)["needed"] == math.inf


def test_alerts_have_intervals_over_patients():
    y, p, w = (np.tile(column, 30) for column in (Y, P, W))
    people = np.repeat([str(i) for i in range(30)], 4)
    found = alerts_with_intervals(y, p, w, people, 0.3, 50, 1)
    assert found["per_1000"].low == found["per_1000"].high == 400.0  # everyone is alike


def test_net_benefit_pays_for_needless_referrals():
    """Vickers & Elkin 2006: true positives less false ones at the odds of the threshold."""
    above = P >= 0.3
    assert net_benefit(Y, above, W, 0.2) == pytest.approx(1000 * (0.1 - 0.3 * 0.25))
    assert net_benefit(Y, np.zeros(4, dtype=bool), W, 0.2) == 0


def test_at_no_threshold_is_nobody_worse_than_everyone_by_a_perfect_model():
    perfect = Y.astype(float) * 0.9
    for row in decision_curve(Y, {"model": perfect}, W):
        assert row["model"] == pytest.approx(200.0)  # all outcomes, nobody else
        assert row["model"] >= row["everyone"]


def test_a_threshold_raises_as_many_alerts_as_asked():
    generator = np.random.default_rng(0)
    p, w = generator.random(5000), generator.uniform(0.5, 2, 5000)
    at = threshold_for(p, w, 60)
    assert alerts(np.zeros(5000, dtype=int), p, w, at)["per_1000"] == pytest.approx(60, abs=1)
