"""Leakage is designed out, and where it gets in the audit says so."""

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
from clinical_nlp.training.risk.cohort import Example, examples
from clinical_nlp.training.risk.dataset import Cohort, Data
from clinical_nlp.training.risk.leakage import audit, require_clean
from clinical_nlp.training.risk.recipe import CohortRecipe

TABLE = load_features()
LEXICON = load_lexicon()
DAY = date(2024, 6, 1)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("clinical_nlp.training.risk.leakage._RESAMPLES", 30)


def cohort_of(number: int, identify=lambda i, ill: f"p{i:05d}", known=DAY) -> tuple[Cohort, Data]:
    """Patients whose outcome depends on age alone; one entry each, known on a given day."""
    generator = np.random.default_rng(11)
    found = []
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
        found.append(Example(name, line, ill))
    cohort = Cohort(examples=found)
    return cohort, cohort.data(TABLE)


def probes_of(cohort: Cohort, data: Data, refit=None):
    rows = {
        "train": np.arange(0, len(data) // 2),
        "calibration": np.arange(0, 0),
        "test": np.arange(len(data) // 2, len(data)),
    }
    by_age = refit or (lambda some, others: others.features[:, TABLE.names.index("age")])
    return {
        p.name: p for p in audit(cohort, data, rows, TABLE, LEXICON, by_age, 0.75, 1)
    }  # fmt: skip


def test_an_honest_cohort_passes():
    probes = probes_of(*cohort_of(700))
    require_clean(list(probes.values()))
    assert 0.4 < probes["patient id"].figure < 0.6


def test_an_id_that_tells_the_outcome_fails_the_run():
    probes = probes_of(*cohort_of(700, lambda i, ill: f"{'z' if ill and i % 2 else 'a'}{i:05d}"))
    assert not probes["patient id"].passed
    with pytest.raises(ModelError, match=r"E422.*patient id"):
        require_clean(list(probes.values()))


def test_an_id_in_order_of_birth_is_no_leak():
    """It predicts as age does, and age is no secret."""
    cohort, data = cohort_of(700)
    order = np.argsort([t.age for t in data.timelines], kind="stable")
    names = {data.patients[i]: f"{rank:05d}" for rank, i in enumerate(order)}
    named = [replace(e, patient_id=names[e.patient_id]) for e in cohort.examples]
    assert probes_of(Cohort(examples=named), Cohort(examples=named).data(TABLE))[
        "patient id"
    ].passed


def test_an_example_that_knows_the_future_fails_the_run():
    probes = probes_of(*cohort_of(700, known=DAY + timedelta(days=60)))
    assert not probes["resources after the index day"].passed
    assert not probes["examples that hold any"].passed


def test_a_model_that_learns_from_dealt_out_outcomes_fails_the_run():
    cohort, data = cohort_of(700)
    cheat = probes_of(cohort, data, lambda some, others: others.outcome + 0.0)
    assert not cheat["outcomes dealt out at random"].passed


def test_the_same_notes_on_both_sides_of_the_split_fail_the_run():
    cohort, data = cohort_of(400)
    cohort.long_notes = {e.patient_id: {b"one", b"two"} for e in cohort.examples}
    assert probes_of(cohort, data)["same notes in training and test"].figure == 1.0


RECIPE = CohortRecipe(
    simulated_patients=1, simulation_seed=1, gap_days=30, horizon_days=365,
    history_days=365, step_days=365, min_age=40, controls_share=1.0,
)  # fmt: skip


def told(day: date, words: str, concept: str) -> NoteFindings:
    written = datetime(day.year, day.month, day.day, 9)
    note = Note(f"DocumentReference/{concept}-{day}", "p1", words, written)
    return NoteFindings(note, (Finding(0, len(words), words, concept),))


def coded(kind: EventKind, system: str, code: str, day: date) -> CodedEvent:
    return CodedEvent(kind, f"X/{code}-{day}", (Coding(system, code),), day)


@settings(max_examples=40, deadline=None)
@given(after=st.integers(1, 700), late=st.integers(0, 60))
def test_nothing_of_the_gap_or_later_reaches_a_feature(after, late):
    """Heart failure named or coded, sacubitril/valsartan, a first loop diuretic, a test."""
    atc = "http://www.whocc.no/atc"
    base = [coded(EventKind.CONDITION, "http://hl7.org/fhir/sid/icd-10", "I10", date(2019, 5, 1))]
    notes = [told(date(2020, 2, 1), "disnea", "dyspnea")]
    record = PatientRecord("p1", Sex.MALE, date(1950, 1, 1), events=tuple(base))
    last = date(2023, 12, 31)
    whole = build_timeline(record, notes, LEXICON, last)
    plain = list(examples(record, whole, date(2019, 1, 1), last, RECIPE, 1.0, Counter()))
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
        told(day, "insuficiencia cardíaca", "heart_failure"),
        told(day, "edemas", "ankle_edema"),
    ]
    line = build_timeline(future, more, LEXICON, last)
    found = list(examples(future, line, date(2019, 1, 1), last, RECIPE, 1.0, Counter()))
    at_index = [e for e in found if e.timeline.as_of == index]
    if after <= 30:
        assert at_index == []  # being diagnosed already
    else:
        assert np.array_equal(
            feature_row(at_index[0].timeline, TABLE),
            feature_row(plain[0].timeline, TABLE),
            equal_nan=True,
        )
        assert at_index[0].outcome == (after <= 395)
