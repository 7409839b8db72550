"""The probability as a natural frequency, beside what is usual at the same age and sex.

People grasp "4 of 100" better than "4%" (Gigerenzer & Hoffrage, Psychol Rev 1995;102:684).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import Matrix
from clinical_nlp.risk.model_spec import ModelSpec
from clinical_nlp.risk.sentences import templates
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.spanish import months_es, months_of

_INTERCEPT = "intercept"

#: By how much rounding to people may change the ratio of the two numbers.
_DISTORTION = 1.25


def usual_log_odds(features: Matrix, spec: ModelSpec, table: FeatureTable) -> Matrix | None:
    """Log-odds of the outcome among people of the same age and sex, before recalibration.

    Parameters
    ----------
    features
        Shape (patients, features).

    Returns
    -------
    ndarray of shape (patients,), or None
        ``None`` for a model that was trained without them.
    """
    if not spec.usual:
        return None
    weights = {name: weight for name, weight in spec.usual.items() if name != _INTERCEPT}
    columns = [table.names.index(name) for name in weights]
    total: Matrix = features[:, columns] @ np.array(list(weights.values()))
    return total + spec.usual.get(_INTERCEPT, 0.0)


def frequency_es(
    probability: float, usual: float | None, timeline: Timeline, horizon_days: int
) -> str:
    """Write a probability as a number of people, and the usual one out of as many.

    Parameters
    ----------
    probability, usual
        0..1; ``usual`` is ``None`` where the model does not hold it.
    timeline
        The patient's, for age and sex.
    """
    words: Mapping[str, Any] = templates()["frequency"]
    whole = _whole(probability, usual, words["wholes"])
    count = _count(probability, whole)
    sentence = words["sentence"].format(
        count=count or words["fewer"],
        whole=whole,
        verb=words["many" if count > 1 else "one"],
        horizon=months_es(months_of(horizon_days)),
    )
    sexes = {Sex.FEMALE: "female", Sex.MALE: "male"}
    sex = words["sex"][sexes.get(timeline.sex, "unknown")]
    who = words["who"].format(sex=sex, age=timeline.age)
    if usual is None:
        return str(words["alone"].format(sentence=sentence, who=who))
    same = _count(usual, whole) or words["fewer"]
    text = str(words["usual"].format(sentence=sentence, who=who, count=same, whole=whole))
    lower = probability < words["lower_below"] * usual
    return f"{text} {words['lower']}" if lower else text


def _whole(probability: float, usual: float | None, wholes: list[int]) -> int:
    """Return the smallest whole that gives people of each, and their ratio nearly as it is."""
    for whole in wholes:
        count = _count(probability, whole)
        if usual is None:
            if count:
                return whole
            continue
        same = _count(usual, whole)
        if count and same and count != same:
            distorted = (count / same) / (probability / usual)
            if 1 / _DISTORTION <= distorted <= _DISTORTION:
                return whole
    return wholes[-1]


def _count(probability: float, whole: int) -> int:
    return min(round(probability * whole), whole)
