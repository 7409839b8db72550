from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clinical_nlp.batch.drift.stability import stability_index

samples = arrays(
    np.float64,
    st.integers(1, 60),
    elements=st.one_of(st.just(np.nan), st.integers(0, 4).map(float), st.floats(-1e6, 1e6)),
)


@given(samples, samples)
def test_stability_index_is_finite_and_non_negative(before, after):
    found = stability_index(before, after)
    assert np.isfinite(found.index) and found.index >= 0
    assert len(found.labels) == len(found.before) == len(found.after)
    assert sum(found.before) == pytest.approx(1) and sum(found.after) == pytest.approx(1)


@given(samples)
def test_stability_index_of_equal_samples_is_zero(sample):
    assert stability_index(sample, sample).index == pytest.approx(0, abs=1e-12)


def test_stability_index_of_known_shares_matches_formula():
    """10% against 20% of a yes: (0.1) ln 2 + (-0.1) ln (0.8 / 0.9)."""
    before = np.repeat([0.0, 1.0], [90_000, 10_000])
    after = np.repeat([0.0, 1.0], [80_000, 20_000])
    expected = 0.1 * np.log(2) + 0.1 * np.log(0.9 / 0.8)
    assert stability_index(before, after).index == pytest.approx(expected, abs=1e-4)


def test_stability_index_counts_missing_values_as_a_bin():
    before = np.random.default_rng(0).normal(size=1000)
    after = before.copy()
    after[:500] = np.nan
    found = stability_index(before, after)
    assert found.labels[-1] == "missing" and found.after[-1] == 0.5
    assert found.index > 0.25 > found.null_bound


def test_null_bound_is_passed_by_one_in_a_hundred_equal_draws():
    """The bound at 99% is passed by about one pair in a hundred (Yurdakul 2018)."""
    generator = np.random.default_rng(1)
    passed = sum(
        (found := stability_index(*generator.normal(size=(2, 400)), null_quantile=0.99)).index
        > found.null_bound
        for _ in range(1000)
    )
    assert 1 <= passed <= 30
