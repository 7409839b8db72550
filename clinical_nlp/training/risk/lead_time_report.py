"""Lead time of the chosen model on the test cases, beside age and sex at as many alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.clinical_utility import alerts, threshold_for
from clinical_nlp.training.risk.dataset import Cohort, Data
from clinical_nlp.training.risk.lead_time import alerted_by, lead_days, lead_time, past_of
from clinical_nlp.training.risk.measures import Vector
from clinical_nlp.training.risk.platt import Calibrated
from clinical_nlp.training.risk.recipe import Recipe


def lead_times(
    cohort: Cohort,
    recipe: Recipe,
    people: set[str],
    test: Data,
    chosen: Calibrated,
    who: Calibrated,
    table: FeatureTable,
) -> list[dict[str, Any]]:
    """Measure lead times at the lower bound of each published band.

    Parameters
    ----------
    people
        The test patients.
    who
        The model of age and sex: its threshold is set so that it raises as many alerts.
    """
    cases = [case for case in cohort.cases if case.patient_id in people]
    first_index = cohort.days[0] + timedelta(days=recipe.cohort.history_days)
    pasts = past_of(cases, first_index, recipe.cohort.min_age)
    kept = [number for number, past in enumerate(pasts) if past]
    pasts, patients = [pasts[i] for i in kept], [cases[i].patient_id for i in kept]
    if not pasts:
        return []
    told = []
    for band in list(load_bands())[1:]:
        ours = chosen.probability(test)
        per_1000 = alerts(test.outcome, ours, test.weight, band.lower)["per_1000"]
        plain = threshold_for(who.probability(test), test.weight, per_1000)
        for name, model, at in (("model", chosen, band.lower), (who.candidate.name, who, plain)):

            def score(timelines: Sequence[Timeline], model: Calibrated = model) -> Vector:
                return model.probability(_data(timelines, table))

            leads = lead_days(pasts, score, at)
            told.append(
                {
                    "name": name,
                    "threshold": at,
                    "per_1000": per_1000,
                    **lead_time(leads, patients, recipe.fit.bootstrap, recipe.fit.seed),
                    "alerted_by": alerted_by(leads),
                }
            )
    return told


def _data(timelines: Sequence[Timeline], table: FeatureTable) -> Data:
    number = len(timelines)
    return Data(
        feature_matrix(timelines, table),
        timelines,
        np.zeros(number, dtype=np.int_),
        np.ones(number),
        np.array([t.patient_id for t in timelines], dtype=np.str_),
    )
