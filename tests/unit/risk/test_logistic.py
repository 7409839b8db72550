from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.logistic import LogisticClassifier
from clinical_nlp.training.risk.arrays import logit
from clinical_nlp.training.risk.calibration import platt_scaling
from clinical_nlp.training.risk.logistic import Prior, fit_logistic, reference_patient


@pytest.fixture(scope="module")
def fitted():
    generator = np.random.default_rng(1)
    x = generator.normal(size=(600, 4))
    y = (generator.random(600) < 1 / (1 + np.exp(2 - x[:, 0] + 0.7 * x[:, 1]))).astype(int)
    x[generator.random(x.shape) < 0.1] = np.nan
    prior = Prior(np.zeros(4, dtype=int), np.ones(4))
    weight = np.where(y == 1, 1.0, 4.0)
    model = fit_logistic(x[:400], y[:400], weight[:400], 1.0, prior)
    z = model.decision_function(x[400:])
    return model, x, platt_scaling(y[400:], z, weight[400:])


def test_logistic_contributions_sum_to_difference_from_reference(fitted):
    model, x, line = fitted
    linear = LogisticClassifier(model, reference_patient(x), line)
    other = np.roll(x, 1, axis=0)
    total = linear.contributions(x, other).sum(axis=1)
    assert np.allclose(total, linear.log_odds(x) - linear.log_odds(other), atol=1e-9)
    slope, shift = line
    raw = logit(model.predict_proba(x)[:, 1])
    assert np.allclose(linear.log_odds(x), slope * raw + shift, atol=1e-6)


def test_logistic_reference_person_has_zero_contributions(fitted):
    model, x, _ = fitted
    assert np.allclose(LogisticClassifier(model, reference_patient(x)).contributions(x, x), 0)


def test_logistic_other_pipeline_raises_e414(fitted):
    _, x, _ = fitted
    forest = make_pipeline(RandomForestClassifier(3)).fit(np.nan_to_num(x), x[:, 0] > 0)
    with pytest.raises(ModelError, match="E414"):
        LogisticClassifier(forest, [0.0] * 4)


def test_logistic_without_patients_returns_no_rows(fitted):
    model, x, _ = fitted
    linear = LogisticClassifier(model, reference_patient(x))
    empty = np.empty((0, 4))
    assert linear.log_odds(empty).shape == (0,)
    assert linear.members(empty).shape == (0, 0)
    assert linear.contributions(empty, empty).shape == (0, 4)
