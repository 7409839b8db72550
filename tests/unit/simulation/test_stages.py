"""The second simulator: reproducible, and made of other things than the first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from clinical_nlp.records import CodedEvent, EventKind
from clinical_nlp.simulation import (
    SimulatedPatient,
    draw_stages_parameters,
    load_stages_parameters,
    simulate_patient,
    simulate_patients,
)
from clinical_nlp.simulation.grammar import Grammar, grammar
from clinical_nlp.simulation.stages.hazards import Hazard, HazardTable
from clinical_nlp.simulation.stages.simulator import StagedCourse
from clinical_nlp.simulation.stages.writer import staged_grammar

SHIPPED = load_stages_parameters()
WHOLE = SHIPPED.as_of(SHIPPED.end)


@pytest.fixture(scope="module")
def people() -> list[SimulatedPatient]:
    return list(simulate_patients(200, 42, WHOLE))


def _known(event: CodedEvent) -> date:
    return event.recorded or event.start or date.min


def _last(person: SimulatedPatient) -> date:
    return min(d for d in (person.truth.died, person.truth.left, SHIPPED.end) if d)


def test_simulate_patient_of_stages_same_seed_and_index_gives_same_patient() -> None:
    for index in (0, 17, 991):
        alone = simulate_patient(index, 4, SHIPPED)
        assert [alone] == list(simulate_patients(1, 4, SHIPPED, first=index))


def test_simulate_patient_of_stages_earlier_cut_gives_prefix_of_record() -> None:
    cut = SHIPPED.start + timedelta(days=800)
    for index in range(25):
        early = simulate_patient(index, 9, SHIPPED.as_of(cut))
        late = simulate_patient(index, 9, WHOLE)
        notes = tuple(n for n in late.record.notes if n.written and n.written.date() <= cut)
        assert early.record.notes == notes
        assert early.truth == late.truth
        assert {e.source for e in early.record.events} == {
            e.source for e in late.record.events if _known(e) <= cut
        }


def test_record_of_stages_holds_nothing_after_death_or_move(
    people: list[SimulatedPatient],
) -> None:
    for person in people:
        last = _last(person)
        assert all(n.written is not None and n.written.date() <= last for n in person.record.notes)
        assert all(_known(event) <= last for event in person.record.events)
        assert set(person.affirmed) == {note.key for note in person.record.notes}


def test_without_notes_of_stages_keeps_coded_record() -> None:
    for number in range(20):
        with_notes, without = (
            simulate_patient(number, 11, p).record for p in (WHOLE, WHOLE.without_notes())
        )
        assert replace(with_notes, notes=()) == without


def test_heart_failure_of_stages_is_coded_only_once_diagnosed(
    people: list[SimulatedPatient],
) -> None:
    codes = {"I50.32", "I50.22", "K77", "428.30", "428.20", "418304008", "703272007"}
    coded = 0
    for person in people:
        for event in person.record.events:
            if event.kind is EventKind.CONDITION and {c.code for c in event.codings} & codes:
                assert person.truth.diagnosed is not None
                assert person.truth.diagnosed <= _known(event) == person.truth.coded
                coded += 1
    assert coded > 5


def test_heart_failure_of_stages_without_care_is_never_diagnosed() -> None:
    """Nobody comes and nobody is admitted: stage C goes on without a name."""
    care = {**WHOLE.care, "habit_yearly": 0.0, "reviews_yearly": 0.0, "seeks": 1e-9}
    quiet = {**WHOLE.disease, "admission_yearly": {"congested": 1e-9, "quiet": 1e-9}}
    alone = replace(WHOLE, care=care, disease=quiet)
    ill = [p.truth for p in simulate_patients(300, 2, alone) if p.truth.onset]
    assert len(ill) > 8
    assert not [truth for truth in ill if truth.diagnosed]


def test_notes_of_stages_are_ten_to_twenty_a_patient(people: list[SimulatedPatient]) -> None:
    assert 10 < sum(len(person.record.notes) for person in people) / len(people) < 20


def test_hazard_table_opens_a_stage_only_after_the_one_before() -> None:
    table = HazardTable(
        (
            Hazard("first", 0.1, 0.0, 0.0, {}),
            Hazard("second", 0.2, 0.0, 0.7, {"risk": 1.0}, needs="first"),
            Hazard("passing", 0.3, 0.0, 0.0, {}, ends=2.0),
        )
    )
    assert table.factors(set(), {}) == [1.0, 0.0, 1.0]
    assert table.factors({"first", "risk"}, {"second": 2.0}) == pytest.approx([0, 2 * 2.71828, 1])
    assert table.endings({"passing"}) == [0.0, 0.0, 2.0]
    assert table.at(60, female=False)[1] > table.at(60, female=True)[1] == pytest.approx(0.2)


def test_staged_course_severity_rises_and_falls() -> None:
    course = StagedCourse(100, 300, ((150, 170),))
    assert course.severity(99) == 0.0
    assert course.severity(160) == 1.0 > course.severity(310) > course.severity(200) > 0


def _alternatives(rules: Grammar) -> set[str]:
    return {
        text.lower()
        for name in rules.names()
        for text in rules.alternatives(name)
        if len(text.split()) > 3
    }


@pytest.mark.parametrize("language", ["es", "ca"])
def test_second_grammar_shares_no_sentence_with_first(language: str) -> None:
    assert not _alternatives(staged_grammar(language)) & _alternatives(grammar(language))


def test_draw_stages_parameters_differ_and_repeat() -> None:
    one, again, other = (draw_stages_parameters(seed) for seed in (1, 1, 2))
    first, second, third = (simulate_patient(3, 1, p).record for p in (one, again, other))
    assert first == second != third
