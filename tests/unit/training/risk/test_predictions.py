"""``predictions.json`` compares two models row by row, and finds nobody."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest

from clinical_nlp.records import Evidence, Sex
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.predictions import (
    SMALLEST,
    WITHHELD,
    give_common_strata,
    unlinkable_predictions,
)

TABLE = load_features()
PATIENTS = 60


def row(patient: str, day: date, days_before: int, sex: Sex = Sex.FEMALE) -> Timeline:
    seen = day - timedelta(days=days_before)
    entry = Entry(
        "hypertension", seen, seen, Origin.STRUCTURED, Presence.PRESENT,
        Evidence(f"Condition/{patient}", "hypertension", seen),
    )  # fmt: skip
    return Timeline(patient, day, sex, date(1950, 3, 1), (entry,))


def cohort(name: str = "p{}", reverse: bool = False) -> Data:
    """Two examples a patient; the ids and their order are all that a call may change."""
    generator = np.random.default_rng(3)
    features = generator.normal(size=(2 * PATIENTS, 3))
    features[1, 2] = np.nan
    outcome = generator.integers(0, 2, 2 * PATIENTS)
    timelines, patients = [], []
    for number in range(2 * PATIENTS):
        patient = name.format(number // 2)
        patients.append(patient)
        timelines.append(row(patient, date(2023, 1, 1 + number // 2 % 28), number))
    data = Data(features, timelines, outcome, np.ones(len(outcome)), np.array(patients))
    return data.take(np.arange(len(outcome))[::-1]) if reverse else data


def predictions(data: Data) -> dict:
    probability = np.clip(np.abs(np.nan_to_num(data.features[:, 0])) / 4, 0.001, 0.9)
    other = {"d": np.round(probability / 2, 6)}
    return unlinkable_predictions(data, ["es"] * len(data), probability, TABLE, other)


@pytest.mark.parametrize("reverse", [False, True])
def test_predictions_are_the_same_whatever_the_ids_and_their_order(reverse):
    """So that nothing in them can tell an id, to whoever has the list and everything else."""
    renamed = predictions(cohort("otro-{}-7", reverse))
    assert json.dumps(renamed) == json.dumps(predictions(cohort()))


def test_predictions_hold_no_hash_of_any_id_under_any_salt_of_the_recipe():
    data = cohort()
    told = json.dumps(predictions(data))
    for patient in set(data.patients.tolist()):
        for salt in ("", "hf-risk-1"):
            for text in (patient, f"{salt}|{patient}", f"{patient}|2023-01-01"):
                plain = hashlib.sha256(text.encode()).hexdigest()
                keyed = hmac.new(salt.encode(), text.encode(), hashlib.sha256).hexdigest()
                assert plain[:12] not in told and keyed[:12] not in told
        assert f'"{patient}"' not in told


def test_predictions_keep_the_rows_of_a_patient_together_and_all_values():
    data, told = cohort(), predictions(cohort())
    columns = told["columns"]
    assert Counter(columns["patient"]) == dict.fromkeys(range(PATIENTS), 2)
    assert sum(columns["outcome"]) == data.outcome.sum()
    assert columns["probability"] == pytest.approx([2 * p for p in told["rivals"]["d"]], abs=2e-6)


def test_predictions_of_other_content_are_of_another_cohort():
    data = cohort()
    data.features[0, 0] += 1
    assert predictions(data)["cohort"] != predictions(cohort())["cohort"]


def test_strata_of_few_patients_are_not_told():
    many, few = SMALLEST + 3, SMALLEST - 1
    strata = {
        "sex": ["female"] * many + ["male"] * few,
        "language": ["es"] * (many - 1) + ["eu"] + ["es"] * few,
    }
    told = give_common_strata(strata, range(many + few))
    assert told["language"][many - 1] == WITHHELD
    assert set(told["sex"][many:]) == {WITHHELD}
    shared = Counter(zip(*told.values(), strict=True))
    assert all(n >= SMALLEST for levels, n in shared.items() if set(levels) != {WITHHELD}) or (
        told["sex"][0] == "female"
    )


def test_strata_count_patients_and_not_rows():
    strata = {"sex": ["male"] * 30, "language": ["eu"] * 30}
    told = give_common_strata(strata, [row % 3 for row in range(30)])
    assert set(told["sex"]) == set(told["language"]) == {WITHHELD}
