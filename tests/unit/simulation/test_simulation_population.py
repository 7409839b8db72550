from __future__ import annotations

import math
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
from clinical_nlp.simulation.patient_course import PatientCourse, simulate_course
from clinical_nlp.simulation.rng import stream

PARAMETERS = load_parameters()


@pytest.fixture(scope="module")
def people() -> list[SimulatedPatient]:
    return list(simulate_patients(250, seed=42))


@given(index=st.integers(0, 10**6), seed=st.integers(0, 10**4))
@settings(max_examples=20, deadline=None)
def test_simulate_patient_same_seed_and_index_gives_same_patient(index: int, seed: int) -> None:
    alone = simulate_patient(index, seed, PARAMETERS)
    (among,) = simulate_patients(1, seed, first=index)
    assert alone == among


def test_simulate_patients_other_seed_gives_other_notes() -> None:
    one, two = next(simulate_patients(1, seed=1)), next(simulate_patients(1, seed=2))
    assert one.record.notes != two.record.notes


@given(days=st.integers(200, 1400), index=st.integers(0, 5000))
@settings(max_examples=25, deadline=None)
def test_simulate_patient_earlier_cut_gives_prefix_of_record(days: int, index: int) -> None:
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


def test_record_holds_nothing_after_cut_or_death(
    people: list[SimulatedPatient],
) -> None:
    for person in people:
        last = person.record.died or PARAMETERS.cut
        for note in person.record.notes:
            assert note.written is not None and note.written.date() <= last
        for event in person.record.events:
            assert _known(event) <= last
            assert event.end is None or event.end <= last or event.kind is EventKind.MEDICATION


def test_record_notes_and_events_are_sorted(people: list[SimulatedPatient]) -> None:
    for person in people:
        notes = [(n.written, n.key) for n in person.record.notes]
        events = [(e.start or date.min, e.source) for e in person.record.events]
        assert notes == sorted(notes)  # type: ignore[type-var]
        assert events == sorted(events)


def test_truth_orders_onset_diagnosis_and_code(
    people: list[SimulatedPatient],
) -> None:
    diagnosed = [p.truth for p in people if p.truth.diagnosed]
    assert diagnosed
    for truth in diagnosed:
        assert truth.onset is not None and truth.diagnosed is not None
        assert truth.onset < truth.diagnosed
        assert truth.coded is None or truth.coded >= truth.diagnosed


def test_record_before_diagnosis_has_no_confirmed_heart_failure_code(
    people: list[SimulatedPatient],
) -> None:
    for person in people:
        for event in person.record.events:
            codes = {c.code for c in event.codings}
            if event.kind is EventKind.CONDITION and codes & {"I50.9", "K77", "84114007"}:
                assert event.uncertain or (
                    person.truth.coded is not None and event.recorded == person.truth.coded
                )


def test_affirmed_signs_are_given_for_every_note(people: list[SimulatedPatient]) -> None:
    for person in people:
        assert set(person.affirmed) == {note.key for note in person.record.notes}


def test_as_of_cut_outside_simulated_years_raises_e110() -> None:
    with pytest.raises(UsageError, match="E110"):
        PARAMETERS.as_of(PARAMETERS.end + timedelta(days=1))


def test_simulate_patients_negative_number_raises_e112() -> None:
    with pytest.raises(UsageError, match="E112"):
        simulate_patients(-1)


def test_curve_age_of_inverts_at() -> None:
    curve = Curve.from_percent([45, 60, 75, 90], [2, 8, 20, 35])
    for age in (50.0, 60.0, 71.5, 88.0):
        assert curve.age_of(curve.at(age)) == pytest.approx(age)
    assert curve.age_of(curve.at(90) + 0.1) == float("inf")


def test_curve_age_of_falling_curve_is_before_first_knot() -> None:
    curve = Curve.from_percent([45, 60, 75, 90], [5, 4, 9, 20])
    assert curve.age_of(curve.at(45)) == float("-inf")
    assert 60 < curve.age_of(curve.at(70)) < 75


@pytest.fixture(scope="module")
def courses() -> list[PatientCourse]:
    return [simulate_course(stream("test", number), PARAMETERS) for number in range(6000)]


def test_onsets_with_latent_traits_keep_prevalence_curves(courses: list[PatientCourse]) -> None:
    """Traits decide who falls ill, not how many: COPD was once half too frequent in old men."""
    start = PARAMETERS.start.toordinal()
    in_range = [course for course in courses if 45 <= course.age(start) < 90]
    rising = [c for c in PARAMETERS.conditions if c.name not in ("obesity", "sleep_apnea")]
    for condition in rising:
        expected = observed = 0.0
        for course in in_range:
            curve = condition.women if course.female else condition.men
            expected += 1 / (1 + math.exp(-curve.at(course.age(start))))
            observed += course.has(condition.name, start)
        deviation = 4 * expected**0.5  # of a sum of probabilities, at most
        # A curve that falls with age is not followed down: nobody is cured here.
        slack = 0.1 * expected if condition.name in ("dyslipidemia", "anxiety") else 0.02 * expected
        assert abs(observed - expected) < deviation + slack, condition.name


def test_onsets_respect_earliest_age(courses: list[PatientCourse]) -> None:
    for condition in PARAMETERS.conditions:
        assert condition.earliest >= 18
        for course in courses:
            if condition.name in course.onsets:
                assert course.age(course.onsets[condition.name] + 1) >= condition.earliest


def test_record_of_patient_who_moved_ends_at_move() -> None:
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


def test_simulate_course_other_leaving_rate_changes_only_leaving() -> None:
    restless = replace(PARAMETERS, leaving=((0.0, 0.9),))
    for number in range(40):
        stays = simulate_course(
            stream("leaves", number), replace(PARAMETERS, leaving=((0.0, 0.0),))
        )
        leaves = simulate_course(stream("leaves", number), restless)
        assert stays.left == PARAMETERS.end.toordinal() > leaves.left
        assert replace(leaves, left=stays.left, leaving_known=True) == replace(
            stays, leaving_known=True
        )


def test_record_of_patient_who_stays_is_active(people: list[SimulatedPatient]) -> None:
    assert all(p.record.active for p in people if p.truth.left is None)


def test_without_notes_keeps_coded_record() -> None:
    for number in range(25):
        with_notes, without = (
            simulate_patient(number, 11, p).record for p in (PARAMETERS, PARAMETERS.without_notes())
        )
        assert replace(with_notes, notes=()) == replace(without, notes=())
        assert {n.key for n in without.notes} <= {n.key for n in with_notes.notes}
