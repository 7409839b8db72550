"""Temporal validation: train on earlier years, test on later index days of other patients.

The past is also smaller: fewer outcomes, and shorter records behind each index day. A control
tells the two apart: a sample of as many outcomes and non-outcomes from all index days of the
same patients, trained and tested in the same way. What the control loses is due to size; the
rest is due to time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from clinical_nlp.training.risk.arrays import Rows
from clinical_nlp.training.risk.calibrated_model import CalibratedModel, fit_calibrated
from clinical_nlp.training.risk.calibration import calibration_intercept_slope
from clinical_nlp.training.risk.candidates import Candidate, Setting
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import assess
from clinical_nlp.training.risk.model_selection import choose_setting
from clinical_nlp.training.risk.recipe import Recipe
from clinical_nlp.training.risk.split import PARTS

#: Draws of the control; their median is reported.
DRAWS = 9

#: Fewest outcomes in each part for a result.
MIN_OUTCOMES = 10


def temporal_check(
    data: Data, rows: Mapping[str, Rows], recipe: Recipe, selected: CalibratedModel
) -> dict[str, Any]:
    """Train the selected family on the past, test it on what came after.

    The latest ``recent_days`` of index days are the test, on test patients alone. Training
    and calibration use index days whose outcome window had closed by then: on the day of
    training nobody knows the outcome of an open window. The setting is chosen on them alone.

    Returns
    -------
    dict
        ``from``: first index day of the test; sizes; the measures; and ``control`` (see the
        module). Without measures where a part has too few outcomes.
    """
    fit, candidate = recipe.fit, selected.candidate
    days = np.array([timeline.as_of.toordinal() for timeline in data.timelines])
    last = max(timeline.as_of for timeline in data.timelines)
    cutoff = last - timedelta(days=recipe.split.recent_days)
    window = timedelta(days=recipe.cohort.gap_days + recipe.cohort.horizon_days)
    closed, recent = days <= (cutoff - window).toordinal(), days > cutoff.toordinal()
    train, calibration, test = (
        data.take(rows[name][period[rows[name]]])
        for name, period in zip(PARTS, (closed, closed, recent), strict=True)
    )
    sizes: dict[str, Any] = {
        "from": str(cutoff + timedelta(days=1)),
        "train_outcomes": int(train.outcome.sum()),
        "test_outcomes": int(test.outcome.sum()),
        "test_examples": len(test),
    }
    if min(int(part.outcome.sum()) for part in (train, calibration, test)) < MIN_OUTCOMES:
        return sizes
    setting = choose_setting(candidate, train, fit.folds, fit.seed)
    probability = fit_calibrated(candidate, setting, train, calibration).probability(test)
    measures = assess(
        test.outcome, probability, test.weight, test.patients, fit.bootstrap, fit.seed
    )
    all_years = data.take(rows["train"]), data.take(rows["calibration"])
    control = _control(all_years, (train, calibration), test, candidate, setting, fit.seed)
    return {**sizes, "setting": setting, "measures": measures, "control": control}


def _control(
    all_years: tuple[Data, Data],
    past: tuple[Data, Data],
    test: Data,
    candidate: Candidate,
    setting: Setting,
    seed: int,
) -> dict[str, float]:
    """Medians over :data:`DRAWS` of AUROC, calibration slope and intercept of the control."""
    rng = np.random.default_rng(seed)
    results = []
    for _ in range(DRAWS):
        train, calibration = (
            _sample_like(part, reference, rng)
            for part, reference in zip(all_years, past, strict=True)
        )
        p = fit_calibrated(candidate, setting, train, calibration).probability(test)
        intercept, slope = calibration_intercept_slope(test.outcome, p, test.weight)
        auroc = roc_auc_score(test.outcome, p, sample_weight=test.weight)
        results.append((float(auroc), slope, intercept))
    names = ("auroc", "calibration_slope", "calibration_intercept")
    return dict(zip(names, np.median(results, axis=0).tolist(), strict=True))


def _sample_like(data: Data, reference: Data, rng: np.random.Generator) -> Data:
    """Draw as many outcomes, and as many non-outcomes, as ``reference`` has."""
    rows = [
        rng.choice(
            np.flatnonzero(data.outcome == label),
            int((reference.outcome == label).sum()),
            replace=False,
        )
        for label in (0, 1)
    ]
    return data.take(np.sort(np.concatenate(rows)))
