"""The interface that every family of classifier implements, and how one is built."""

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
        """Log-odds by each bootstrap member, if any: shape (patients, members)."""
        ...

    def contributions(
        self,
        features: Matrix,
        reference: Matrix,
        timelines: Sequence[Timeline] | None = None,
    ) -> Matrix:
        """Log-odds that each feature adds to the reference person's: to be summed by topic."""
        ...


def build_classifier(artifacts: ModelArtifacts, table: FeatureTable) -> Classifier:
    """Build the classifier of a trained model.

    Raises
    ------
    ModelError
        E414: the artifacts do not fit the family that the spec names.
    """
    spec = artifacts.spec
    match spec.family:
        case "logistic":
            members = artifacts.tensors.get(ENSEMBLE)
            ensemble = None if members is None else members.astype(np.float64)
            return LogisticClassifier(
                artifacts.classifier, spec.reference, spec.calibration, ensemble
            )
        case "boosting":
            return BoostingClassifier(artifacts.classifier, spec.reference, table, spec.calibration)
        case "sequence":
            return SequenceClassifier(artifacts.tensors, spec, table)
    raise ModelError(
        "E414",
        f"the model is of a family that this version does not know ('{spec.family}'): "
        "install the version it was trained with, or train it with 'clinical-nlp train risk'",
    )
