"""Leakage is designed out, and where it gets in the leakage checks find it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_nlp.errors import ModelError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import (
    CodedEvent,
    Coding,
    EventKind,
    Evidence,
    Finding,
    Note,
    NoteFindings,
    PatientRecord,
    Sex,
)
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import feature_row
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.training.risk.checks import check_ratio
from clinical_nlp.training.risk.cohort import Example, landmark_examples
from clinical_nlp.training.risk.dataset import Cohort, Data
from clinical_nlp.training.risk.leakage import require_no_leakage, run_leakage_checks
from clinical_nlp.training.risk.recipe import CohortRecipe

TABLE = load_features()
LEXICON = load_lexicon()
DAY = date(2024, 6, 1)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("clinical_nlp.training.risk.checks.RESAMPLES", 30)
    monkeypatch.setattr("clinical_nlp.training.risk.leakage.RESAMPLES", 30)


def cohort_of(number: int, identify=lambda i, ill: f"p{i:05d}", known=DAY) -> tuple[Cohort, Data]:
    """Patients whose outcome depends on age alone; one entry each, known on a given day."""
    generator = np.random.default_rng(11)
    examples = []
    for i in range(number):
        age = int(generator.integers(45, 90))
        ill = bool(generator.random() < 0.05 + (age > 70) * 0.2)
        entry = Entry(
            "dyspnea", DAY - timedelta(days=9), known if ill else DAY, Origin.NOTE,
            Presence.PRESENT, Evidence("DocumentReference/1", "dyspnea", DAY, 0, 6),
        )  # fmt: skip
        name = identify(int(generator.integers(10**5)), ill) + f"-{i}"
        line = Timeline(
            name, DAY, Sex.FEMALE, date(2024 - age, 1, 1), (entry,), contact_days=(DAY,)
        )
        examples.append(Example(name, line, ill))
    cohort = Cohort(examples=examples)
    return cohort, cohort.data(TABLE)


def by_age_alone(data: Data):
    return data.features[:, TABLE.names.index("age")]


def checks_of(cohort: Cohort, data: Data, refit=None):
    rows = {
        "train": np.arange(0, len(data) // 2),
        "calibration": np.arange(0, 0),
        "test": np.arange(len(data) // 2, len(data)),
    }
    by_age = refit or (lambda train, test: by_age_alone(test))
    age = by_age_alone(data)
    probabilities = {"model": age, "age and sex only": age}
    checks = run_leakage_checks(cohort, data, rows, TABLE, LEXICON, by_age, probabilities, 30, 1)
    return {check.name: check for check in checks}


def test_leakage_checks_of_a_cohort_without_leakage_pass():
    checks = checks_of(*cohort_of(700))
    require_no_leakage(list(checks.values()))
    assert 0.4 < checks["patient id"].figure < 0.6


def test_leakage_checks_with_ids_that_reveal_the_outcome_fail():
    checks = checks_of(*cohort_of(700, lambda i, ill: f"{'z' if ill and i % 2 else 'a'}{i:05d}"))
    assert not checks["patient id"].passed
    with pytest.raises(ModelError, match=r"E422.*patient id"):
        require_no_leakage(list(checks.values()))


def test_leakage_checks_with_ids_in_order_of_birth_pass():
    """Such an id predicts as age does, and age is a legitimate feature."""
    cohort, data = cohort_of(700)
    order = np.argsort([t.age for t in data.timelines], kind="stable")
    names = {data.patients[i]: f"{rank:05d}" for rank, i in enumerate(order)}
    named = [replace(e, patient_id=names[e.patient_id]) for e in cohort.examples]
    assert checks_of(Cohort(examples=named), Cohort(examples=named).data(TABLE))[
        "patient id"
    ].passed


def test_leakage_checks_with_entries_after_the_index_day_fail():
    checks = checks_of(*cohort_of(700, known=DAY + timedelta(days=60)))
    assert not checks["resources after the index day"].passed
    assert not checks["examples that hold any"].passed


def test_leakage_checks_with_a_model_that_predicts_permuted_outcomes_fail():
    cohort, data = cohort_of(700)
    checks = checks_of(cohort, data, lambda train, test: test.outcome + 0.0)
    assert not checks["permuted outcomes"].passed


def test_leakage_checks_with_the_same_notes_in_both_parts_report_the_share():
    cohort, data = cohort_of(400)
    cohort.long_notes = {e.patient_id: {b"one", b"two"} for e in cohort.examples}
    assert checks_of(cohort, data)["same notes in training and test"].figure == 1.0


RECIPE = CohortRecipe(
    simulated_patients=1, simulation_seed=1, gap_days=30, horizon_days=365,
    history_days=365, step_days=365, min_age=40, controls_share=1.0,
)  # fmt: skip


def note_naming(day: date, words: str, concept: str) -> NoteFindings:
    written = datetime(day.year, day.month, day.day, 9)
    note = Note(f"DocumentReference/{concept}-{day}", "p1", words, written)
    return NoteFindings(note, (Finding(0, len(words), words, concept),))


def coded(kind: EventKind, system: str, code: str, day: date) -> CodedEvent:
    return CodedEvent(kind, f"X/{code}-{day}", (Coding(system, code),), day)


@settings(max_examples=40, deadline=None)
@given(after=st.integers(1, 700), late=st.integers(0, 60))
def test_features_do_not_change_with_what_happens_after_the_index_day(after, late):
    """Heart failure named or coded, sacubitril/valsartan, a first loop diuretic, a test."""
    atc = "http://www.whocc.no/atc"
    base = [coded(EventKind.CONDITION, "http://hl7.org/fhir/sid/icd-10", "I10", date(2019, 5, 1))]
    notes = [note_naming(date(day, 2, 1), "disnea", "dyspnea") for day in (2019, 2020)]
    record = PatientRecord("p1", Sex.MALE, date(1950, 1, 1), events=tuple(base))
    last = date(2023, 12, 31)
    whole = build_timeline(record, notes, LEXICON, last)
    plain = list(landmark_examples(record, whole, date(2019, 1, 1), last, RECIPE, 1.0, Counter()))
    index = plain[0].timeline.as_of
    day = index + timedelta(days=after)
    entered = day + timedelta(days=late)
    events = (
        *base,
        replace(
            coded(EventKind.CONDITION, "http://hl7.org/fhir/sid/icd-10", "I50.9", day),
            recorded=entered,
        ),
        coded(EventKind.MEDICATION, atc, "C09DX04", day),
        coded(EventKind.MEDICATION, atc, "C03CA01", day),
        replace(coded(EventKind.OBSERVATION, "http://loinc.org", "33762-6", day), value=5000.0),
    )
    future = replace(record, events=events, died=entered + timedelta(days=5), deceased=True)
    more = [
        *notes,
        note_naming(day, "insuficiencia cardíaca", "heart_failure"),
        note_naming(day, "edemas", "ankle_edema"),
    ]
    line = build_timeline(future, more, LEXICON, last)
    examples = list(landmark_examples(future, line, date(2019, 1, 1), last, RECIPE, 1.0, Counter()))
    at_index = [e for e in examples if e.timeline.as_of == index]
    if after <= 30:
        assert at_index == []  # being diagnosed already
    else:
        assert np.array_equal(
            feature_row(at_index[0].timeline, TABLE),
            feature_row(plain[0].timeline, TABLE),
            equal_nan=True,
        )
        assert at_index[0].outcome == (after <= 395)


def test_ratio_of_what_nobody_has_is_one_and_a_lopsided_one_is_seen():
    """Few with the outcome and many without: nothing in either is no difference."""
    outcome = np.repeat([1, 0], [40, 960])
    people = np.arange(1000).astype(str)
    data = Data(np.zeros((1000, 1)), [None] * 1000, outcome, np.ones(1000), people)
    whole = np.full(1000, 20.0)
    name = "notes that speak of later days"
    nothing = check_ratio(name, "ratio", np.zeros(1000), whole, data)
    assert (nothing.figure, nothing.passed) == (1.0, True)
    assert not check_ratio(name, "ratio", (outcome == 1) * 1.0, whole, data).passed
    everywhere = check_ratio(name, "ratio", np.ones(1000), whole, data)
    assert everywhere.passed and everywhere.figure == pytest.approx(1.0)
