"""A gradient-boosted classifier, explained by Shapley values of its topics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import Matrix
from clinical_nlp.risk.shapley import shapley
from clinical_nlp.risk.timeline import Timeline


class BoostingClassifier:
    """Log-odds and topic-wise Shapley values of boosted trees.

    Parameters
    ----------
    pipelines
        The fitted model, then its bootstrap members, if any.
    reference
        The training cohort's medians, shape (features,); only their number is used.
    table
        The feature table; its topics are the players of the Shapley values.
    calibration
        Slope and intercept applied to the log-odds of model and members.

    Raises
    ------
    ModelError
        E414: the classifier is of another kind, or the columns don't match.
    """

    def __init__(
        self,
        pipelines: object,
        reference: Sequence[float],
        table: FeatureTable,
        calibration: tuple[float, float] = (1.0, 0.0),
    ) -> None:
        if (
            not isinstance(pipelines, list)
            or not pipelines
            or not all(
                isinstance(p, Pipeline)
                and isinstance(p[-1], HistGradientBoostingClassifier)
                and p[-1].n_features_in_ == len(reference)
                for p in pipelines
            )
        ):
            raise ModelError(
                "E414",
                "the model is not a list of scikit-learn pipelines that end in gradient boosting "
                f"over {len(reference)} features: train it with 'clinical-nlp train risk'",
            )
        self._pipelines: list[Any] = pipelines
        self._slope, self._intercept = calibration
        names = list(table.names)
        self._topic_columns = [
            [names.index(name) for name in topic.features] for topic in table.topics
        ]

    def log_odds(self, features: Matrix, timelines: Sequence[Timeline] | None = None) -> Matrix:
        """Log-odds of the outcome: (patients, features) to (patients,)."""
        return self._calibrated(self._pipelines[0], features)

    def members(self, features: Matrix, timelines: Sequence[Timeline] | None = None) -> Matrix:
        """Log-odds by each bootstrap member: shape (patients, members)."""
        columns = [self._calibrated(pipeline, features) for pipeline in self._pipelines[1:]]
        return np.column_stack(columns) if columns else np.empty((len(features), 0))

    def contributions(
        self,
        features: Matrix,
        reference: Matrix,
        timelines: Sequence[Timeline] | None = None,
    ) -> Matrix:
        """Log-odds that each topic adds to those of the patient's reference person.

        Parameters
        ----------
        features, reference
            Rows of the patients and of their reference persons, shape (patients, features).

        Returns
        -------
        ndarray of shape (patients, features)
            A topic's value is in the column of its first feature; only sums over a topic
            are meaningful.
        """
        contributions = np.zeros(features.shape)
        for number, (row, other) in enumerate(zip(features, reference, strict=True)):
            differs = ~((row == other) | (np.isnan(row) & np.isnan(other)))
            players = [columns for columns in self._topic_columns if differs[columns].any()]

            def coalition_log_odds(
                masks: npt.NDArray[np.bool_],
                row: Matrix = row,
                other: Matrix = other,
                players: list[list[int]] = players,
            ) -> Matrix:
                rows = np.tile(other, (len(masks), 1))
                for player, columns in enumerate(players):
                    rows[np.ix_(masks[:, player], np.array(columns))] = row[columns]
                return self._calibrated(self._pipelines[0], rows)

            values = shapley(coalition_log_odds, len(players))
            for columns, value in zip(players, values, strict=True):
                contributions[number, columns[0]] = value
        return contributions

    def _calibrated(self, pipeline: Any, features: Matrix) -> Matrix:  # noqa: ANN401  # untyped library
        if len(features) == 0:
            return np.empty(0)
        log_odds: Matrix = pipeline.decision_function(features)
        return self._slope * log_odds + self._intercept
