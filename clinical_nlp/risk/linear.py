"""A linear classifier that can say exactly what each feature adds.

The shipped model is one scikit-learn pipeline: impute, scale, logistic regression. Its
log-odds are a sum, so a patient's difference from a reference patient splits over the
features without approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from clinical_nlp.errors import ModelError

Matrix = npt.NDArray[np.float64]


class LinearRisk:
    """Probabilities and exact contributions of a fitted pipeline.

    Parameters
    ----------
    pipeline
        Fitted: any transformers that keep the columns, then ``LogisticRegression``.
    reference
        Features of the reference patient, shape (features,); may hold NaN.

    Raises
    ------
    ModelError
        E414: the classifier is of another kind, or the columns don't match.
    """

    def __init__(self, pipeline: object, reference: Sequence[float]) -> None:
        if (
            not isinstance(pipeline, Pipeline)
            or not isinstance(pipeline[-1], LogisticRegression)
            or pipeline[-1].coef_.shape != (1, len(reference))
        ):
            raise ModelError(
                "E414",
                "the model is not a scikit-learn pipeline that ends in a binary logistic "
                f"regression over {len(reference)} features: train it with "
                "'clinical-nlp train risk'",
            )
        self._pipeline: Any = pipeline
        self._coefficients: Matrix = pipeline[-1].coef_[0]
        self._reference: Matrix = self._scaled(np.array([reference], dtype=np.float64))[0]

    @property
    def base(self) -> float:
        """Log-odds of the reference patient."""
        return float(self._reference @ self._coefficients + self._pipeline[-1].intercept_[0])

    def probabilities(self, features: Matrix) -> Matrix:
        """Probability of the outcome: (patients, features) to (patients,)."""
        if len(features) == 0:
            return np.empty(0)
        predicted: Matrix = self._pipeline.predict_proba(features)
        return predicted[:, 1]

    def contributions(self, features: Matrix) -> Matrix:
        """Log-odds that each feature adds to the reference patient's.

        Returns
        -------
        ndarray of shape (patients, features)
            ``base + contributions.sum(axis=1)`` is the log-odds of ``probabilities``.
        """
        if len(features) == 0:
            return np.empty(features.shape)
        difference: Matrix = self._scaled(features) - self._reference
        return difference * self._coefficients

    def _scaled(self, features: Matrix) -> Matrix:
        scaled: Matrix = self._pipeline[:-1].transform(features)
        return scaled
