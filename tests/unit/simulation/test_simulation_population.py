from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_nlp.errors import UsageError
from clinical_nlp.records import CodedEvent, EventKind
from clinical_nlp.simulation import (
    SimulatedPatient,
    load_parameters,
    simulate_patient,
    simulate_patients,
)
from clinical_nlp.simulation.parameters import Curve
from clinical_nlp.simulation.patient_course import Life, live
from clinical_nlp.simulation.rng import logistic, stream

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


def test_before_a_falling_curve_everyone_who_will_be_ill_is() -> None:
    curve = Curve.from_percent([45, 60, 75, 90], [5, 4, 9, 20])
    assert curve.age_of(curve.at(45)) == float("-inf")
    assert 60 < curve.age_of(curve.at(70)) < 75


@pytest.fixture(scope="module")
def lives() -> list[Life]:
    return [live(stream("test", number), PARAMETERS) for number in range(6000)]


def test_traits_and_smoking_leave_the_curves_as_they_are(lives: list[Life]) -> None:
    """They say who falls ill, not how many: COPD was once half as much again in old men."""
    start = PARAMETERS.start.toordinal()
    some = [life for life in lives if 45 <= life.age(start) < 90]
    rising = [c for c in PARAMETERS.conditions if c.name not in ("obesity", "sleep_apnea")]
    for condition in rising:
        given = have = 0.0
        for life in some:
            curve = condition.women if life.female else condition.men
            given += logistic(curve.at(life.age(start)))
            have += life.has(condition.name, start)
        deviation = 4 * given**0.5  # of a sum of chances, at most
        # A curve that falls with age is not followed down: nobody is cured here.
        slack = 0.1 * given if condition.name in ("dyslipidemia", "anxiety") else 0.02 * given
        assert abs(have - given) < deviation + slack, condition.name


def test_nothing_begins_before_its_age(lives: list[Life]) -> None:
    for condition in PARAMETERS.conditions:
        assert condition.earliest >= 18
        for life in lives:
            if condition.name in life.ill:
                assert life.age(life.ill[condition.name] + 1) >= condition.earliest


def test_a_record_ends_where_the_patient_moves_away() -> None:
    restless = replace(PARAMETERS, leaving=((0.0, 0.6),), leaving_known=1.0)
    whole = restless.as_of(restless.end)
    moved = 0
    for person in simulate_patients(60, 8, whole):
        record, left = person.record, person.truth.left
        if left is None or (person.truth.died is not None and person.truth.died <= left):
            continue
        moved += 1
        assert not record.active and not record.deceased and record.died is None
        assert all(n.written is not None and n.written.date() <= left for n in record.notes)
        assert all(_known(e) <= left for e in record.events)
    assert moved > 30


def test_whoever_leaves_is_the_same_person_until_then() -> None:
    restless = replace(PARAMETERS, leaving=((0.0, 0.9),))
    for number in range(40):
        stays = live(stream("leaves", number), replace(PARAMETERS, leaving=((0.0, 0.0),)))
        leaves = live(stream("leaves", number), restless)
        assert stays.left == PARAMETERS.end.toordinal() > leaves.left
        assert replace(leaves, left=stays.left, leaving_known=True) == replace(
            stays, leaving_known=True
        )


def test_who_stays_is_active(people: list[SimulatedPatient]) -> None:
    assert all(p.record.active for p in people if p.truth.left is None)


def test_the_codes_are_the_same_whether_notes_are_written_or_not() -> None:
    for number in range(25):
        told, silent = (
            simulate_patient(number, 11, p).record for p in (PARAMETERS, PARAMETERS.without_notes())
        )
        assert replace(told, notes=()) == replace(silent, notes=())
        assert {n.key for n in silent.notes} <= {n.key for n in told.notes}
