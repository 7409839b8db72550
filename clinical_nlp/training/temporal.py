"""A split in time: learn from earlier years, judge on later index days of other patients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.training.calibrated import Calibrated
from clinical_nlp.training.dataset import Data
from clinical_nlp.training.fit import platt
from clinical_nlp.training.measures import assess
from clinical_nlp.training.recipe import Recipe

#: Fewest outcomes in each part for the check to say anything.
MIN_OUTCOMES = 10


def temporal_check(
    data: Data,
    rows: Mapping[str, npt.NDArray[np.int_]],
    recipe: Recipe,
    chosen: Calibrated,
) -> dict[str, Any]:
    """Train the chosen kind of model on the past, test it on what came after.

    The latest ``recent_days`` of index days are the test, on test patients alone. Training
    and calibration use index days whose outcome window had closed by then: on the day of
    training nobody knows the outcome of an open window.

    Returns
    -------
    dict
        ``from``: first index day of the test; sizes; and the measures. Without measures
        where a part has too few outcomes.
    """
    days = np.array([timeline.as_of.toordinal() for timeline in data.timelines])
    last = max(timeline.as_of for timeline in data.timelines)
    cutoff = last - timedelta(days=recipe.split.recent_days)
    closed = timedelta(days=recipe.cohort.gap_days + recipe.cohort.horizon_days)
    early = days <= (cutoff - closed).toordinal()
    late = days > cutoff.toordinal()
    learnt, held, test = (
        data.take(numbers[mask[numbers]])
        for numbers, mask in (
            (rows["train"], early),
            (rows["calibration"], early),
            (rows["test"], late),
        )
    )
    told: dict[str, Any] = {
        "from": str(cutoff + timedelta(days=1)),
        "train_outcomes": int(learnt.outcome.sum()),
        "test_outcomes": int(test.outcome.sum()),
        "test_examples": len(test),
    }
    if min(int(part.outcome.sum()) for part in (learnt, held, test)) < MIN_OUTCOMES:
        return told
    model = chosen.candidate.fit(learnt, chosen.setting)
    line = platt(held.outcome, chosen.candidate.log_odds(model, held), held.weight)
    probability = Calibrated(chosen.candidate, model, chosen.setting, line).probability(test)
    measures = assess(
        test.outcome,
        probability,
        test.weight,
        test.patients,
        recipe.fit.bootstrap,
        recipe.fit.seed,
    )
    return {**told, "measures": measures}
