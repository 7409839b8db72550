"""The range of the training patients bounds every feature."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import bounded
from clinical_nlp.training.risk.bounds import feature_bounds

TABLE = load_features()
NAMES = list(TABLE.names)


def training(rows=1000):
    generator = np.random.default_rng(3)
    features = np.zeros((rows, len(NAMES)))
    features[:, NAMES.index("age")] = generator.uniform(-3, 2, rows)
    features[:, NAMES.index("weight")] = np.log(generator.normal(75, 12, rows).clip(40, 140))
    features[: rows // 2, NAMES.index("weight")] = np.nan
    features[: rows // 2, NAMES.index("weight_missing")] = 1
    features[rows // 2 :, NAMES.index("weight_trend")] = generator.normal(0, 0.05, rows - rows // 2)
    features[:, NAMES.index("note_edema_days")] = np.log1p(generator.integers(0, 6, rows))
    features[:, NAMES.index("nt_probnp")] = np.nan
    return features


def of(bounds, name):
    return bounds[NAMES.index(name)]


def test_bounds_by_kind_of_feature():
    bounds = feature_bounds(training(), TABLE)
    assert len(bounds) == len(NAMES)
    assert of(bounds, "male") == of(bounds, "weight_missing") == (0.0, 1.0)
    assert of(bounds, "structured_diabetes") == (0.0, 1.0)
    assert of(bounds, "note_edema_days") == (0.0, math.log(6))
    low, high = of(bounds, "age")
    assert -3 <= low < high <= 2
    low, high = (math.exp(bound) for bound in of(bounds, "weight"))
    assert 40 < low < 55 and 95 < high < 125
    low, high = of(bounds, "weight_trend")
    assert -0.2 < low < -0.1 and 0.1 < high < 0.2
    assert of(bounds, "nt_probnp") == (math.log(5), math.log(70000)), "no patient had it"
    assert of(bounds, "egfr_trend") == (0.0, 0.0), "nor a trend of this"


def test_one_mistyped_training_value_does_not_widen_the_bounds():
    features = training()
    clean = feature_bounds(features, TABLE)
    features[-1, NAMES.index("weight")] = math.log(290)
    features[-1, NAMES.index("weight_trend")] = 4.0
    dirty = feature_bounds(features, TABLE)
    for name in ("weight", "weight_trend"):
        assert abs(of(dirty, name)[1] - of(clean, name)[1]) < 0.05


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=len(NAMES), max_size=len(NAMES)))
def test_bounded_row_is_within_and_missing_stays_missing(row):
    bounds = feature_bounds(training(200), TABLE)
    features = np.array([row])
    held = bounded(features, bounds)
    low, high = np.array(bounds).T
    known = ~np.isnan(features)
    assert (np.isnan(held) == ~known).all()
    assert ((held >= low) & (held <= high))[known].all()
    assert np.array_equal(bounded(held, bounds), held, equal_nan=True)
    assert bounded(features, ()) is features
