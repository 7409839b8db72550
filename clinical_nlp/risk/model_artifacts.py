"""A trained model as it is saved: classifier (skops), arrays (safetensors), spec (YAML).

Nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.risk.model_spec import ModelSpec

#: Types that skops may load besides its own list. A dtype is data; a TreePredictor is an
#: array of a tree's nodes.
TRUSTED_TYPES = ("numpy.dtype", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")

#: Name of the array of bootstrap coefficients of a logistic model.
ENSEMBLE = "ensemble.coefficients"

#: Prefix of the names of a network's weights.
NETWORK = "network."


@dataclass(frozen=True, slots=True)
class ModelArtifacts:
    """A trained model, as it is saved and loaded.

    Parameters
    ----------
    classifier
        ``logistic``: a fitted pipeline that ends in ``LogisticRegression``. ``boosting``: a
        list of pipelines that end in ``HistGradientBoostingClassifier``, the model first and
        then its bootstrap members. ``sequence``: ``None``.
    spec
        Everything but the weights.
    tensors
        ``logistic``: :data:`ENSEMBLE`, shape (members, features + 1), coefficients on the
        scaled columns and the intercept, calibrated. ``sequence``: the network's weights.
    """

    classifier: object | None
    spec: ModelSpec
    tensors: Mapping[str, npt.NDArray[np.floating[Any]]] = field(default_factory=dict)
