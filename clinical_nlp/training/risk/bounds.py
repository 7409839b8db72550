"""The range of each feature in the training patients, which bounds it ever after.

A linear model follows a value wherever it goes: a weight that rises by 82 kg in two months has
a slope that no training patient had, times its coefficient. Outside the range the model knows
nothing, so the bound stands for what lies beyond it.
"""

from __future__ import annotations

import math

import numpy as np

from clinical_nlp.risk.feature_table import FeatureTable, Topic
from clinical_nlp.training.risk.arrays import Matrix, Vector

#: Share of a measurement's values, and of its trends, at each end that is outside the bounds:
#: training records have mistyped values, too, which must not widen them.
TAIL = 0.005


def feature_bounds(features: Matrix, table: FeatureTable) -> tuple[tuple[float, float], ...]:
    """Return the lowest and highest value that each column may take.

    Parameters
    ----------
    features
        Of the training examples, shape (examples, features); NaN where missing.

    Returns
    -------
    tuple of (float, float)
        Of measurements the quantiles at :data:`TAIL`, of counts and ages the extremes, of flags
        0 and 1. Every range of a count or trend holds 0.
    """
    topics = table.topic_of
    return tuple(
        _bounds(topics[name], name, features[:, number]) for number, name in enumerate(table.names)
    )


def _bounds(topic: Topic, name: str, column: Vector) -> tuple[float, float]:
    if topic.kind in ("condition", "drug") or name == "male" or name.endswith("_missing"):
        return 0.0, 1.0
    known = column[~np.isnan(column)]
    if not topic.measured:
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        return (low, high) if name == "age" else (min(low, 0.0), max(high, 0.0))
    trend = name != topic.key
    if trend:
        known = known[known != 0]
    if not len(known):
        return (0.0, 0.0) if trend else _plausible(topic)
    low, high = (float(q) for q in np.quantile(known, [TAIL, 1 - TAIL]))
    return (min(low, 0.0), max(high, 0.0)) if trend else (low, high)


def _plausible(topic: Topic) -> tuple[float, float]:
    """The feature table's limits, for a measurement that no training patient had."""
    low, high = topic.plausible
    return (math.log(low), math.log(high)) if topic.log else (low, high)
