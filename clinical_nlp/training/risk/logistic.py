"""Fits the linear classifier: imputation, scaling, ridge logistic regression."""

from __future__ import annotations

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from clinical_nlp.training.risk.arrays import Labels, Matrix, Vector
from clinical_nlp.training.risk.sign_constrained import Prior, fit_sign_constrained


def fit_logistic(
    features: Matrix, outcome: Labels, weight: Vector, strength: float, prior: Prior
) -> Pipeline:
    """Fit median imputation, scaling and logistic regression.

    A missing value is also a feature of its own, so the imputed median hides nothing.
    Weights are scaled to a mean of 1, so that ``strength`` means the same in any cohort.
    """
    scaled_weight = weight / weight.mean()
    columns = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    # The weighted variance of a constant column can round to just under 0, whose root
    # warns; scikit-learn leaves such a column unscaled.
    with np.errstate(invalid="ignore"):
        standardised = columns.fit_transform(features, scale__sample_weight=scaled_weight)
    regression = fit_sign_constrained(standardised, outcome, scaled_weight, strength, prior)
    return Pipeline([*columns.steps, ("classify", regression)])


def reference_patient(features: Matrix) -> tuple[float, ...]:
    """Return the medians of the training cohort, which reasons are compared with.

    A measurement that most patients lack is missing in the reference patient too; its value
    is the median of those who have it, 0 where nobody does.
    """
    empty = np.isnan(features).all(axis=0)
    medians = np.zeros(features.shape[1])
    medians[~empty] = np.nanmedian(features[:, ~empty], axis=0)
    return tuple(float(v) for v in medians)
