"""Lead time of the selected model on the test cases, beside age and sex at as many alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.arrays import Vector
from clinical_nlp.training.risk.calibrated_model import CalibratedModel, FittedModels
from clinical_nlp.training.risk.clinical_utility import alerts, threshold_for
from clinical_nlp.training.risk.dataset import Cohort, Data
from clinical_nlp.training.risk.lead_time import (
    alerted_by,
    lead_days,
    lead_time,
    timelines_before_diagnosis,
)
from clinical_nlp.training.risk.recipe import Recipe


def lead_times(
    cohort: Cohort, test: Data, models: FittedModels, table: FeatureTable, recipe: Recipe
) -> list[dict[str, Any]]:
    """Measure lead times at the lower bound of each published band.

    The threshold of the baseline is set so that it raises as many alerts as the model.
    """
    tested = set(test.patients.tolist())
    first_index = cohort.days[0] + timedelta(days=recipe.cohort.history_days)
    cases = [case for case in cohort.cases if case.patient_id in tested]
    timelines = timelines_before_diagnosis(cases, first_index, recipe.cohort.min_age)
    patients = [case.patient_id for case, before in zip(cases, timelines, strict=True) if before]
    timelines = [before for before in timelines if before]
    if not timelines:
        return []
    selected, baseline = models.selected, models.baseline
    probability, by_baseline = selected.probability(test), baseline.probability(test)
    rows = []
    for band in list(load_bands())[1:]:
        per_1000 = alerts(test.outcome, probability, test.weight, band.lower)["per_1000"]
        matched = threshold_for(by_baseline, test.weight, per_1000)
        for name, model, threshold in (
            ("model", selected, band.lower),
            (baseline.candidate.name, baseline, matched),
        ):

            def score(of: Sequence[Timeline], model: CalibratedModel = model) -> Vector:
                return model.probability(_unlabelled(of, table))

            leads = lead_days(timelines, score, threshold)
            rows.append(
                {
                    "name": name,
                    "threshold": threshold,
                    "per_1000": per_1000,
                    **lead_time(leads, patients, recipe.fit.bootstrap, recipe.fit.seed),
                    "alerted_by": alerted_by(leads),
                }
            )
    return rows


def _unlabelled(timelines: Sequence[Timeline], table: FeatureTable) -> Data:
    number = len(timelines)
    return Data(
        feature_matrix(timelines, table),
        timelines,
        np.zeros(number, dtype=np.int_),
        np.ones(number),
        np.array([t.patient_id for t in timelines], dtype=np.str_),
    )
