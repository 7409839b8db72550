"""Fits the linear classifier: ridge logistic regression, and Platt scaling of any model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from clinical_nlp.training.risk.measures import Labels, Vector, logistic_line
from clinical_nlp.training.risk.sign_constrained import Prior, fit_bounded

Matrix = npt.NDArray[np.float64]


def fit(
    features: Matrix, outcome: Labels, weight: Vector, strength: float, prior: Prior
) -> Pipeline:
    """Fit median imputation, scaling and logistic regression.

    A missing value is also a feature of its own, so the median here says nothing false.
    Weights are scaled to a mean of 1, so that ``strength`` means the same in any cohort.
    """
    scaled = weight / weight.mean()
    columns = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    # The weighted variance of a constant column can round to just under 0, whose root
    # warns; scikit-learn leaves such a column unscaled.
    with np.errstate(invalid="ignore"):
        standardised = columns.fit_transform(features, scale__sample_weight=scaled)
    regression = fit_bounded(standardised, outcome, scaled, strength, prior)
    return Pipeline([*columns.steps, ("classify", regression)])


def platt(outcome: Labels, log_odds: Vector, weight: Vector) -> tuple[float, float]:
    """Fit Platt scaling on examples of patients that the fit has not seen.

    Returns
    -------
    tuple of float
        Slope and intercept of the calibrated log-odds. A slope that is not positive would
        turn the ranking round; then only the intercept is fitted.
    """
    shift, slope = logistic_line(outcome, log_odds, weight)
    if slope <= 0:
        shift, slope = logistic_line(outcome, log_odds, weight, free_slope=False)
    return slope, shift


def reference_patient(features: Matrix) -> tuple[float, ...]:
    """Return the medians of the training cohort, as reasons compare against.

    A measurement that most patients lack is missing in the reference patient too; its value
    is the median of those who have it, 0 where nobody does.
    """
    empty = np.isnan(features).all(axis=0)
    medians = np.zeros(features.shape[1])
    medians[~empty] = np.nanmedian(features[:, ~empty], axis=0)
    return tuple(float(v) for v in medians)
