"""Logistic regression with exact contributions of each feature.

The log-odds are a sum over features, so the difference between a patient and their reference
person is split over them without approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.features import Matrix
from clinical_nlp.risk.timeline import Timeline


class LogisticClassifier:
    """Log-odds and exact contributions of a fitted pipeline.

    Parameters
    ----------
    pipeline
        Fitted transformers that keep the columns, then ``LogisticRegression``.
    reference
        The training cohort's medians, shape (features,); only their number is used.
    calibration
        Slope and intercept applied to the pipeline's log-odds.
    ensemble
        Bootstrap members, shape (members, features + 1): calibrated coefficients on the
        scaled columns, then the intercept.

    Raises
    ------
    ModelError
        E414: the classifier is of another kind, or the columns don't match.
    """

    def __init__(
        self,
        pipeline: object,
        reference: Sequence[float],
        calibration: tuple[float, float] = (1.0, 0.0),
        ensemble: Matrix | None = None,
    ) -> None:
        width = len(reference)
        if (
            not isinstance(pipeline, Pipeline)
            or not isinstance(pipeline[-1], LogisticRegression)
            or pipeline[-1].coef_.shape != (1, width)
            or (ensemble is not None and ensemble.shape[1:] != (width + 1,))
        ):
            raise ModelError(
                "E414",
                "the model is not a scikit-learn pipeline that ends in a binary logistic "
                f"regression over {width} features: train it with 'clinical-nlp train risk'",
            )
        slope, intercept = calibration
        self._pipeline: Any = pipeline
        self._coefficients: Matrix = slope * pipeline[-1].coef_[0]
        self._intercept = slope * float(pipeline[-1].intercept_[0]) + intercept
        self._ensemble = np.empty((0, width + 1)) if ensemble is None else ensemble

    def log_odds(self, features: Matrix, timelines: Sequence[Timeline] | None = None) -> Matrix:
        """Log-odds of the outcome: (patients, features) to (patients,)."""
        total: Matrix = self._scaled(features) @ self._coefficients + self._intercept
        return total

    def members(self, features: Matrix, timelines: Sequence[Timeline] | None = None) -> Matrix:
        """Log-odds by each bootstrap member: shape (patients, members)."""
        scaled = self._scaled(features)
        total: Matrix = scaled @ self._ensemble[:, :-1].T + self._ensemble[:, -1]
        return total

    def contributions(
        self,
        features: Matrix,
        reference: Matrix,
        timelines: Sequence[Timeline] | None = None,
    ) -> Matrix:
        """Log-odds that each feature adds to those of the patient's reference person.

        Parameters
        ----------
        features, reference
            Rows of the patients and of their reference persons, shape (patients, features).

        Returns
        -------
        ndarray of shape (patients, features)
            Sums by row to the difference of :meth:`log_odds` between the two.
        """
        contributions: Matrix = (
            self._scaled(features) - self._scaled(reference)
        ) * self._coefficients
        return contributions

    def _scaled(self, features: Matrix) -> Matrix:
        if len(features) == 0:  # which scikit-learn refuses
            return features
        scaled: Matrix = self._pipeline[:-1].transform(features)
        return scaled
