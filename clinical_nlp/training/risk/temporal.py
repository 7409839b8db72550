"""A split in time: learn from earlier years, judge on later index days of other patients.

The past is also less: fewer outcomes, and shorter records behind each index day. A control
tells the two apart: as many outcomes and others, drawn from all index days of the same
patients, learnt from and judged in the same way. What the control loses too is the size;
the rest is time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from clinical_nlp.training.risk.candidates import Setting
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.fit import platt
from clinical_nlp.training.risk.measures import assess, calibration_line
from clinical_nlp.training.risk.nested import fit_best
from clinical_nlp.training.risk.platt import Calibrated
from clinical_nlp.training.risk.recipe import Recipe

#: Draws of the control; their median is told.
DRAWS = 9

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
    training nobody knows the outcome of an open window. The setting is chosen on them alone.

    Returns
    -------
    dict
        ``from``: first index day of the test; sizes; the measures; and ``control`` (see the
        module). Without measures where a part has too few outcomes.
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
    model, setting = fit_best(chosen.candidate, learnt, recipe.fit.folds, recipe.fit.seed)
    line = platt(held.outcome, chosen.candidate.log_odds(model, held), held.weight)
    probability = Calibrated(chosen.candidate, model, setting, line).probability(test)
    measures = assess(
        test.outcome,
        probability,
        test.weight,
        test.patients,
        recipe.fit.bootstrap,
        recipe.fit.seed,
    )
    whole = data.take(rows["train"]), data.take(rows["calibration"])
    return {
        **told,
        "setting": setting,
        "measures": measures,
        "control": _control(whole, (learnt, held), test, chosen, setting, recipe.fit.seed),
    }


def _control(
    whole: tuple[Data, Data],
    past: tuple[Data, Data],
    test: Data,
    chosen: Calibrated,
    setting: Setting,
    seed: int,
) -> dict[str, float]:
    """Medians over :data:`DRAWS` of AUROC, calibration slope and intercept of the control."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(DRAWS):
        learnt, held = (
            _as_many(some, like, generator) for some, like in zip(whole, past, strict=True)
        )
        model = chosen.candidate.fit(learnt, setting)
        line = platt(held.outcome, chosen.candidate.log_odds(model, held), held.weight)
        p = Calibrated(chosen.candidate, model, setting, line).probability(test)
        intercept, slope = calibration_line(test.outcome, p, test.weight)
        auroc = roc_auc_score(test.outcome, p, sample_weight=test.weight)
        found.append((float(auroc), slope, intercept))
    names = ("auroc", "calibration_slope", "calibration_intercept")
    return dict(zip(names, np.median(found, axis=0).tolist(), strict=True))


def _as_many(some: Data, like: Data, generator: np.random.Generator) -> Data:
    """Draw as many outcomes, and as many others, as ``like`` has."""
    chosen = [
        generator.choice(
            np.flatnonzero(some.outcome == label), int((like.outcome == label).sum()), replace=False
        )
        for label in (0, 1)
    ]
    return some.take(np.sort(np.concatenate(chosen)))
