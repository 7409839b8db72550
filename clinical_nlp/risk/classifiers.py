"""One face for every family of classifier that can be shipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.boosting import BoostingClassifier
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import Matrix
from clinical_nlp.risk.logistic import LogisticClassifier
from clinical_nlp.risk.model_artifacts import ENSEMBLE, ModelArtifacts
from clinical_nlp.risk.sequence import SequenceClassifier
from clinical_nlp.risk.timeline import Timeline


class Classifier(Protocol):
    """Scores rows of features, or the timelines that they were computed from."""

    def log_odds(self, features: Matrix, timelines: Sequence[Timeline] | None = None) -> Matrix:
        """Calibrated log-odds of the outcome: shape (patients,)."""
        ...

    def members(self, features: Matrix, timelines: Sequence[Timeline] | None = None) -> Matrix:
        """Log-odds by each bootstrap member, none or more: shape (patients, members)."""
        ...

    def contributions(
        self, features: Matrix, timelines: Sequence[Timeline] | None = None
    ) -> Matrix:
        """What each feature adds to the reference patient's log-odds, summed by topic."""
        ...


def build_classifier(parts: ModelArtifacts, table: FeatureTable) -> Classifier:
    """Make a model's parts ready to score.

    Raises
    ------
    ModelError
        E414: the parts don't fit the family that the spec names.
    """
    spec = parts.spec
    match spec.family:
        case "logistic":
            members = parts.tensors.get(ENSEMBLE)
            ensemble = None if members is None else members.astype(np.float64)
            return LogisticClassifier(parts.classifier, spec.reference, spec.calibration, ensemble)
        case "boosting":
            return BoostingClassifier(parts.classifier, spec.reference, table, spec.calibration)
        case "sequence":
            return SequenceClassifier(parts.tensors, spec, table)
    raise ModelError(
        "E414",
        f"the model is of a family that this version does not know ('{spec.family}'): "
        "install the version it was trained with, or train it with 'clinical-nlp train risk'",
    )
