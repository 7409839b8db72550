from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_nlp.errors import UsageError
from clinical_nlp.records import CodedEvent, EventKind
from clinical_nlp.training.simulation import (
    SimulatedPatient,
    load_parameters,
    simulate_patient,
    simulate_patients,
)
from clinical_nlp.training.simulation.parameters import Curve

PARAMETERS = load_parameters()


@pytest.fixture(scope="module")
def people() -> list[SimulatedPatient]:
    return list(simulate_patients(250, seed=42))


@given(index=st.integers(0, 10**6), seed=st.integers(0, 10**4))
@settings(max_examples=20, deadline=None)
def test_a_patient_depends_on_seed_and_index_alone(index: int, seed: int) -> None:
    alone = simulate_patient(index, seed, PARAMETERS)
    (among,) = simulate_patients(1, seed, first=index)
    assert alone == among


def test_another_seed_is_another_population() -> None:
    one, two = next(simulate_patients(1, seed=1)), next(simulate_patients(1, seed=2))
    assert one.record.notes != two.record.notes


@given(days=st.integers(200, 1400), index=st.integers(0, 5000))
@settings(max_examples=25, deadline=None)
def test_an_earlier_cut_shows_the_same_record_so_far(days: int, index: int) -> None:
    cut = PARAMETERS.start + timedelta(days=days)
    early = simulate_patient(index, 9, PARAMETERS.as_of(cut))
    late = simulate_patient(index, 9, PARAMETERS.as_of(PARAMETERS.end))
    notes = tuple(n for n in late.record.notes if n.written and n.written.date() <= cut)
    assert early.record.notes == notes
    assert early.truth == late.truth
    assert {e.source for e in early.record.events} == {
        e.source for e in late.record.events if _known(e) <= cut
    }


def _known(event: CodedEvent) -> date:
    return event.recorded or event.start or date.min


def test_nothing_in_a_record_is_later_than_its_cut_or_the_death(
    people: list[SimulatedPatient],
) -> None:
    for person in people:
        last = person.record.died or PARAMETERS.cut
        for note in person.record.notes:
            assert note.written is not None and note.written.date() <= last
        for event in person.record.events:
            assert _known(event) <= last
            assert event.end is None or event.end <= last or event.kind is EventKind.MEDICATION


def test_records_keep_the_promised_order(people: list[SimulatedPatient]) -> None:
    for person in people:
        notes = [(n.written, n.key) for n in person.record.notes]
        events = [(e.start or date.min, e.source) for e in person.record.events]
        assert notes == sorted(notes)  # type: ignore[type-var]
        assert events == sorted(events)


def test_a_diagnosis_comes_after_its_first_sign_and_is_coded_no_earlier(
    people: list[SimulatedPatient],
) -> None:
    diagnosed = [p.truth for p in people if p.truth.diagnosed]
    assert diagnosed
    for truth in diagnosed:
        assert truth.onset is not None and truth.diagnosed is not None
        assert truth.onset < truth.diagnosed
        assert truth.coded is None or truth.coded >= truth.diagnosed


def test_before_its_diagnosis_heart_failure_has_no_confirmed_code(
    people: list[SimulatedPatient],
) -> None:
    for person in people:
        for event in person.record.events:
            codes = {c.code for c in event.codings}
            if event.kind is EventKind.CONDITION and codes & {"I50.9", "K77", "84114007"}:
                assert event.uncertain or (
                    person.truth.coded is not None and event.recorded == person.truth.coded
                )


def test_what_a_note_affirms_was_there_to_be_affirmed(people: list[SimulatedPatient]) -> None:
    for person in people:
        assert set(person.affirmed) == {note.key for note in person.record.notes}


def test_a_cut_outside_the_simulated_years_is_refused() -> None:
    with pytest.raises(UsageError, match="E110"):
        PARAMETERS.as_of(PARAMETERS.end + timedelta(days=1))


def test_a_negative_number_of_patients_is_refused() -> None:
    with pytest.raises(UsageError, match="E112"):
        simulate_patients(-1)


def test_a_curve_gives_back_the_age_at_which_it_reaches_a_value() -> None:
    curve = Curve.from_percent([45, 60, 75, 90], [2, 8, 20, 35])
    for age in (50.0, 60.0, 71.5, 88.0):
        assert curve.age_of(curve.at(age)) == pytest.approx(age)
    assert curve.age_of(curve.at(90) + 0.1) == float("inf")
