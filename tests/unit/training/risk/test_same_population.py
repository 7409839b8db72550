"""A patient is an example on a day exactly where the model would score the patient then."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from random import Random

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import (
    CodedEvent,
    Coding,
    EstimateStatus,
    EventKind,
    Finding,
    ModelReference,
    Note,
    NoteFindings,
    PatientRecord,
    Sex,
)
from clinical_nlp.risk.eligibility import MAX_PLAUSIBLE_AGE
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.model import RiskModel
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.training.risk.cohort import landmark_examples
from clinical_nlp.training.risk.recipe import CohortRecipe

FIRST, LAST = date(2018, 1, 1), date(2023, 12, 31)
RECIPE = CohortRecipe(
    simulated_patients=1, simulation_seed=1, gap_days=30, horizon_days=365,
    history_days=365, step_days=120, min_age=40, controls_share=1.0, washout_days=0,
)  # fmt: skip

#: Index days of which the outcome is not known, and which a model would score all the same.
UNKNOWN_OUTCOME = {
    "lost before the index day",
    "record too short",
    "recorded as history before its first code",
    "diagnosed in the gap",
}

CODES = (
    (EventKind.CONDITION, "http://hl7.org/fhir/sid/icd-10", "I50.9"),
    (EventKind.CONDITION, "http://hl7.org/fhir/sid/icd-10", "I10"),
    (EventKind.MEDICATION, "http://www.whocc.no/atc", "C09DX04"),
    (EventKind.MEDICATION, "http://www.whocc.no/atc", "C03CA01"),
    (EventKind.MEDICATION, "http://www.whocc.no/atc", "C03DA01"),
    (EventKind.MEDICATION, "http://www.whocc.no/atc", "C07AB07"),
    (EventKind.OBSERVATION, "http://loinc.org", "10230-1"),
)
WORDS = ("disnea", "insuficiencia cardíaca", "IC")


@pytest.fixture(scope="module")
def model() -> RiskModel:
    table = load_features()
    width = len(table.names)
    pipeline = make_pipeline(
        SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression()
    )
    pipeline.fit(np.random.default_rng(1).normal(size=(20, width)), [0, 1] * 10)
    spec = ModelSpec(
        features=table.names, table_digest=table.digest, reference=(0.0,) * width,
        horizon_days=365, gap_days=30, min_age=RECIPE.min_age, cohort="x", pipeline="x",
        max_age=MAX_PLAUSIBLE_AGE, prevalence=0.02,
    )  # fmt: skip
    return RiskModel(ModelArtifacts(pipeline, spec), ModelReference("x", "1", "x", "x"))


def a_day(rng: Random) -> date:
    return FIRST - timedelta(days=600) + timedelta(days=rng.randrange(2700))


def an_event(rng: Random, number: int) -> CodedEvent:
    kind, system, code = rng.choice(CODES if rng.random() < 0.3 else CODES[1:2])
    display = rng.choice([None, None, "Insuficiencia cardíaca", "Sin insuficiencia cardíaca"])
    value = {"value": rng.choice([30.0, 60.0]), "unit": "%"} if code == "10230-1" else {}
    start = a_day(rng)
    late = rng.choice([None, start + timedelta(days=rng.randrange(400))])
    return CodedEvent(
        kind, f"X/{number}", (Coding(system, code, display),), start, recorded=late, **value
    )


def a_note(rng: Random, number: int) -> NoteFindings:
    words = rng.choice(WORDS)
    flags = {"historical": rng.random() < 0.2, "uncertain": rng.random() < 0.3}
    concept = "dyspnea" if words == "disnea" else "heart_failure"
    text = f"{words}, visita {number} de {rng.randrange(10**6)}"
    day = a_day(rng)
    note = Note(f"DocumentReference/{number}", "p", text, datetime(day.year, day.month, day.day))
    return NoteFindings(note, (Finding(0, len(words), words, concept, **flags),))


def a_patient(rng: Random) -> tuple[PatientRecord, tuple[NoteFindings, ...]]:
    died = a_day(rng) if rng.random() < 0.3 else None
    years = rng.choice([30, 39, 60, 70, 88, 116])
    record = PatientRecord(
        "p",
        rng.choice(list(Sex)),
        None if rng.random() < 0.1 else date(2021 - years, 6, 1),
        deceased=died is not None,
        died=died,
        events=tuple(an_event(rng, n) for n in range(rng.randrange(7))),
    )
    return record, tuple(a_note(rng, n) for n in range(rng.randrange(4)))


def index_days(record: PatientRecord) -> list[date]:
    """The index days of an old patient of whom nothing is wrong: all there are."""
    contacts = tuple(
        CodedEvent(EventKind.ENCOUNTER, f"E/{y}", (Coding("x", "AMB"),), date(y, 1, 1))
        for y in range(2016, 2024)
    )
    well = PatientRecord(record.id, birth_date=date(1950, 1, 1), events=contacts)
    timeline = build_timeline(well, (), load_lexicon(), LAST)
    args = well, timeline, FIRST, LAST, RECIPE, 1.0, Counter[str]()
    return [example.timeline.as_of for example in landmark_examples(*args)]


def test_example_exists_exactly_where_the_model_would_score(model, monkeypatch):
    statuses: Counter[tuple[EstimateStatus, bool]] = Counter()
    rng = Random(20240601)
    for _ in range(150):
        record, notes = a_patient(rng)
        timeline = build_timeline(record, notes, load_lexicon(), LAST)
        for day in index_days(record):
            monkeypatch.setattr(
                "clinical_nlp.training.risk.cohort._index_days",
                lambda *args, day=day: iter([day]),
            )
            left_out: Counter[str] = Counter()
            args = record, timeline, FIRST, LAST, RECIPE, 1.0, left_out
            examples = list(landmark_examples(*args))
            monkeypatch.undo()
            if set(left_out) & UNKNOWN_OUTCOME:
                examples = [None]  # nothing but the outcome stands against it
            (estimate,) = model.estimate([(record, notes)], day)
            scored = estimate.status is EstimateStatus.SCORED
            assert bool(examples) is scored, (left_out, estimate.status)
            statuses[estimate.status, scored] += 1
    # The patients are of every kind, so that the test says something.
    assert {status for status, _ in statuses} == set(EstimateStatus)
    assert min(statuses.values()) >= 20
