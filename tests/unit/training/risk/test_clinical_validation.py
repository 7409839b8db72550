"""Subgroups, lead time and the split in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from clinical_nlp.artifacts import shipped_folder
from clinical_nlp.records import Evidence, Sex
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.risk.calibrated_model import CalibratedModel
from clinical_nlp.training.risk.candidates import age_and_sex_baseline
from clinical_nlp.training.risk.dataset import Case, Data
from clinical_nlp.training.risk.lead_time import (
    alerted_by,
    lead_days,
    lead_time,
    timelines_before_diagnosis,
)
from clinical_nlp.training.risk.recipe import Recipe
from clinical_nlp.training.risk.subgroups import age_bands, group_keys, subgroups
from clinical_nlp.training.risk.temporal import DRAWS, temporal_check

TABLE = load_features()
DAY = date(2024, 6, 1)


def noted(concept: str, day: date, value: float | None = None) -> Entry:
    source = f"DocumentReference/{day}"
    evidence = Evidence(source, concept, day, 0, 3)
    return Entry(concept, day, day, Origin.NOTE, Presence.PRESENT, evidence, value=value)


def line(name="p", day=DAY, born=1950, sex=Sex.FEMALE, *entries: Entry) -> Timeline:
    return Timeline(
        name, day, sex, date(born, 1, 1), entries, note_days=(day,), contact_days=(day,)
    )


def test_group_keys_are_sex_age_notes_care_seeking_and_language():
    keys = group_keys(
        [line(), line(born=1990, sex=Sex.MALE), line(born=1930)], ["ca", "", "es"], TABLE
    )
    assert keys == {
        "sex": ["female", "male", "female"],
        "age_band": ["65-74", "under 65", "85 and over"],
        "notes": ["0-2 days"] * 3,
        "care_seeking": ["seldom (0-3)"] * 3,
        "language": ["ca", "not declared", "es"],
    }


def test_subgroups_of_underestimated_women_show_observed_over_expected():
    generator = np.random.default_rng(1)
    p = np.full(2000, 0.1)
    women = np.arange(2000) % 2 == 0
    y = (generator.random(2000) < np.where(women, 0.2, 0.1)).astype(int)
    keys = {"sex": np.where(women, "female", "male").tolist()}
    people = np.array([str(i) for i in range(2000)])
    female, male = subgroups(keys, y, p, np.ones(2000), people, 0.05, 40, 1)
    assert female["observed_expected"].low > 1.5 > male["observed_expected"].high
    assert female["alerts_per_1000"].value == 1000.0
    assert female["patients"] == male["patients"] == 1000


def test_lead_days_run_from_the_first_alert_to_the_diagnosis():
    ill, well = date(2024, 3, 1), date(2024, 1, 1)
    noted_signs = [noted("dyspnea", ill - timedelta(days=d)) for d in (200, 100)]
    cases = [
        Case("a", replace(line("a", date(2025, 1, 1), 1950, Sex.MALE, *noted_signs[::1]),
                          contact_days=(date(2020, 1, 1),)), ill),
        Case("b", replace(line("b", date(2025, 1, 1)), contact_days=(date(2020, 1, 1),)), well),
    ]  # fmt: skip
    timelines = timelines_before_diagnosis(cases, date(2021, 1, 1), 40)
    assert timelines[0][0].as_of == ill - timedelta(days=30)
    assert all(e.known <= t.as_of for case in timelines for t in case for e in t.entries)
    leads = lead_days(
        timelines, lambda lines: np.array([float(bool(t.entries)) for t in lines]), 0.5
    )
    assert leads.tolist() == [180.0, -1.0]
    summary = lead_time(leads, ["a", "b"], 20, 1)
    assert summary["alerted_180"].value == 0.5 and summary["alerted_360"].value == 0
    assert summary["median_days"].value == 180
    assert [p["share"] for p in alerted_by(leads)][:7] == [0.5] * 6 + [0.0]


def test_temporal_check_trains_on_closed_windows_only():
    recipe = read_recipe(shipped_folder("hf-risk") / "recipe.toml", Recipe)
    recipe = recipe.replace(fit=recipe.fit.replace(bootstrap=5))
    generator = np.random.default_rng(3)
    lines, outcome, people = [], [], []
    for i in range(900):
        born = int(generator.integers(1930, 1975))
        for year in (2020, 2021, 2022, 2023, 2024):
            lines.append(line(f"p{i}", date(year, 3, 1) + timedelta(days=i % 200), born))
            outcome.append(int(generator.random() < (0.3 if born < 1950 else 0.05)))
            people.append(f"p{i}")
    data = Data(
        feature_matrix(lines, TABLE), lines, np.array(outcome), np.ones(4500), np.array(people)
    )
    part = np.arange(4500) // 5 % 3
    rows = {n: np.flatnonzero(part == i) for i, n in enumerate(("train", "calibration", "test"))}
    seen: list[date] = []

    class RecordingCandidate:
        def __init__(self) -> None:
            self.inner = age_and_sex_baseline(TABLE, recipe.fit)
            self.name, self.settings = self.inner.name, self.inner.settings

        def fit(self, data, setting):
            seen.append(max(t.as_of for t in data.timelines))
            return self.inner.fit(data, setting)

        def log_odds(self, model, data):
            return self.inner.log_odds(model, data)

    chosen = CalibratedModel(RecordingCandidate(), None, {"strength": 0.03}, (1.0, 0.0))
    summary = temporal_check(data, rows, recipe, chosen)
    first = date.fromisoformat(summary["from"])
    past, control = seen[:-DRAWS], seen[-DRAWS:]
    assert max(past) + timedelta(days=395) <= first
    assert max(control) >= first
    assert summary["control"]["auroc"] == pytest.approx(
        summary["measures"]["auroc"].value, abs=0.05
    )
    assert summary["control"]["calibration_slope"] == pytest.approx(1, abs=0.35)
    assert summary["measures"]["auroc"].value > 0.6
    few = {**rows, "test": rows["test"][:10]}
    assert "measures" not in temporal_check(data, few, recipe, chosen)


def test_age_bands_auroc_of_age_is_lower_within_a_band():
    generator = np.random.default_rng(4)
    ages = generator.integers(40, 95, 4000)
    outcome = (generator.random(4000) < np.exp((ages - 110) / 12)).astype(int)
    rows = age_bands({"by age": ages / 10.0}, ages.tolist(), outcome, np.ones(4000))
    whole = age_bands({"by age": ages / 10.0}, [70] * 4000, outcome, np.ones(4000))
    assert [row["level"] for row in rows] == ["under 65", "65-74", "75-84", "85 and over"]
    assert sum(row["outcomes"] for row in rows) == outcome.sum()
    for row in rows:
        assert row["auroc"] == {"by age": pytest.approx(row["age"])}
        assert row["age"] < whole[0]["auroc"]["by age"] - 0.05
    assert age_bands({}, [70] * 9, np.array([1] + [0] * 8), np.ones(9)) == []
