"""A first code that comes late is no new disease."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import (
    CodedEvent,
    Coding,
    EventKind,
    Finding,
    Note,
    NoteFindings,
    PatientRecord,
)
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.training.risk.recipe import CohortRecipe
from clinical_nlp.training.risk.washout import Onset, find_onset, unknown_outcome

LAST = date(2023, 12, 31)
CODED = date(2022, 5, 1)
RECIPE = CohortRecipe(
    simulated_patients=1, simulation_seed=1, gap_days=30, horizon_days=365,
    history_days=365, step_days=365, min_age=40, controls_share=1.0,
)  # fmt: skip


def coded(kind: EventKind, system: str, code: str, day: date) -> CodedEvent:
    return CodedEvent(kind, f"X/{code}-{day}", (Coding(system, code),), day)


def onset_of(*events: CodedEvent, notes: tuple[NoteFindings, ...] = (), recipe=RECIPE) -> Onset:
    k77 = coded(EventKind.CONDITION, "urn:oid:2.16.840.1.113883.6.140", "K77", CODED)
    record = PatientRecord("p", birth_date=date(1950, 1, 1), events=(*events, k77))
    return find_onset(record, build_timeline(record, notes, load_lexicon(), LAST), recipe)


def note(day: date, number: int, concept: str = "heart_failure", historical: bool = False):
    words = "Insuficiencia cardíaca"
    finding = Finding(0, len(words), words, concept, historical=historical)
    written = datetime(day.year, day.month, day.day)
    text = f"{words}, visita {number} del programa."
    return NoteFindings(Note(f"DocumentReference/{number}", "p", text, written), (finding,))


def test_onset_without_anything_before_the_code_is_its_day():
    assert onset_of().day == CODED
    assert not onset_of().prevalent


def test_onset_of_a_treated_patient_is_the_day_of_the_treatment():
    treated = date(2021, 3, 1)
    sacubitril = coded(EventKind.MEDICATION, "http://www.whocc.no/atc", "C09DX04", treated)
    assert onset_of(sacubitril).day == treated


def test_onset_of_a_patient_named_in_notes_is_the_day_of_the_notes():
    days = CODED - timedelta(days=200), CODED - timedelta(days=100)
    assert onset_of(notes=tuple(note(day, n) for n, day in enumerate(days))).day == days[0]


def test_onset_told_as_history_first_is_prevalent():
    before = CODED - timedelta(days=40)
    assert onset_of(notes=(note(before, 1, historical=True),)).prevalent
    assert onset_of(notes=(note(before, 1, "history_of_heart_failure"),)).prevalent
    # Told as history after its code, as in any later note, it says nothing.
    assert not onset_of(notes=(note(CODED + timedelta(days=40), 1, historical=True),)).prevalent
    # And a history of what these very notes found first is no old story.
    first, later = note(before - timedelta(days=20), 1), note(before, 2, historical=True)
    assert not onset_of(notes=(first, later)).prevalent


BEGAN = date(2018, 1, 1)


@pytest.mark.parametrize(
    ("onset", "index", "reason"),
    [
        (Onset(None, began=BEGAN), BEGAN + timedelta(days=364), "record too short"),
        (Onset(None, began=BEGAN), BEGAN + timedelta(days=365), None),
        (Onset(None), CODED, "record too short"),
        (Onset(CODED, began=BEGAN), CODED - timedelta(days=30), "diagnosed in the gap"),
        (Onset(CODED, began=BEGAN), CODED - timedelta(days=31), None),
        (Onset(CODED, True, BEGAN), CODED - timedelta(days=400), "recorded as history"),
        (Onset(CODED, True, BEGAN), CODED - timedelta(days=761), None),
    ],
)
def test_unknown_outcome(onset, index, reason):
    found = unknown_outcome(onset, index, RECIPE)
    assert found is None if reason is None else (found or "").startswith(reason)
