from __future__ import annotations

from dataclasses import replace

import pytest

from clinical_nlp.records import EventKind
from clinical_nlp.simulation import (
    Parameters,
    Service,
    draw_service,
    load_parameters,
    simulate_patient,
    simulate_patients,
)
from clinical_nlp.simulation.grammar import grammar
from clinical_nlp.simulation.habits import Gaps, Habits
from clinical_nlp.simulation.rng import stream
from clinical_nlp.simulation.visit_planning import REVIEWED

SHIPPED = load_parameters()
SERVICES = [draw_service(seed) for seed in range(40)]
DRAWN = [service.parameters() for service in SERVICES]


def test_draw_service_same_seed_gives_same_service() -> None:
    assert draw_service(7) == draw_service(7)
    assert draw_service(7).numbers != draw_service(8).numbers


def test_service_without_numbers_is_the_shipped_one() -> None:
    assert Service("shipped").parameters() == SHIPPED


def test_draw_service_numbers_stay_in_their_ranges() -> None:
    for p in DRAWN:
        assert 0.4 <= p.heart_failure.base / SHIPPED.heart_failure.base <= 2.0
        assert 0 <= p.care["nt_probnp_available"] <= 0.95
        assert all(0 < c.coded < 1 for c in p.conditions)
        assert all(0 <= share <= 1 for share in p.habits.missing.values())
        for name in ("note_written", "ask_in_review", "mention_unasked", "copied_forward"):
            assert 0 < p.care[name] < 1


def test_draw_service_reaches_both_ends_of_what_matters() -> None:
    """Services differ: some in which the frail come seldom, some that never measure."""
    assert min(p.care["seeking_frailty"] for p in DRAWN) < -0.3
    assert max(p.care["seeking_frailty"] for p in DRAWN) > 0.1
    assert min(p.care["nt_probnp_available"] for p in DRAWN) < 0.15
    assert max(p.habits.missing["bmi"] for p in DRAWN) > 0.85
    scales = [p.heart_failure.base / SHIPPED.heart_failure.base for p in DRAWN]
    assert max(scales) / min(scales) > 3
    main = {max(zip(_widths(p.habits), p.habits.codes, strict=True))[1][1] for p in DRAWN}
    assert len(main) >= 6  # which code systems most patients of a service have


def _widths(habits: Habits) -> list[float]:
    marks = [mark for mark, _ in habits.codes]
    return [mark - before for mark, before in zip(marks, [0.0, *marks], strict=False)]


def test_patients_of_a_service_that_codes_in_icd9_have_its_codes() -> None:
    icd9 = Service("old", {"coding.patterns.icd9": 1e9}).parameters()
    systems = {
        event.codings[0].system
        for person in simulate_patients(30, 3, icd9)
        for event in person.record.events
        if event.kind is EventKind.CONDITION and event.end is None
    }
    assert "http://hl7.org/fhir/sid/icd-9-cm" in systems
    assert "http://snomed.info/sct" not in systems


def test_patients_of_a_service_without_scales_have_no_bmi() -> None:
    codes = _observed(
        Service("bare", {"missing.bmi": 1.0, "missing.nt_probnp": 1.0, "missing.sbp": 1.0})
    )
    assert not codes & {"39156-5", "33762-6", "8480-6", "8462-4"}
    assert codes & {"29463-7"}
    assert {"39156-5", "33762-6", "8480-6"} <= _observed(Service("shipped"))


def _observed(service: Service) -> set[str]:
    return {
        event.codings[0].code
        for person in simulate_patients(120, 4, service.parameters())
        for event in person.record.events
        if event.kind is EventKind.OBSERVATION
    }


@pytest.mark.parametrize(("slope", "seldom"), [(-0.9, True), (0.9, False)])
def test_frail_patients_seek_care_as_the_service_says(slope: float, seldom: bool) -> None:
    """Where the frail come seldom, those who get heart failure have had fewer contacts."""
    p = replace(SHIPPED, care={**SHIPPED.care, "seeking_frailty": slope, "seeking_sd": 0.01})
    p = replace(p, heart_failure=replace(p.heart_failure, frailty_sd=1.5, base=0.002))
    contacts = {True: [0, 0.0], False: [0, 0.0]}
    for number in range(600):
        person = simulate_patient(number, 6, p.without_notes().as_of(p.end))
        if any(name in person.truth.conditions for name in REVIEWED):
            continue  # compared among people without long-term conditions
        ill = person.truth.diagnosed is not None and person.truth.diagnosed > p.start
        contacts[ill][0] += 1
        contacts[ill][1] += sum(e.kind is EventKind.ENCOUNTER for e in person.record.events)
    well, sick = (contacts[ill][1] / max(1, contacts[ill][0]) for ill in (False, True))
    assert contacts[True][0] >= 3
    assert (sick < well) is seldom


def test_grammar_of_another_staff_has_fewer_wordings_of_its_own() -> None:
    whole, some, others = grammar("es"), grammar("es", 0.4, "a"), grammar("es", 0.4, "b")
    texts = [
        {g.expand("frame.persists", stream("t", n), {"noun": "N"}) for n in range(300)}
        for g in (whole, some, others)
    ]
    assert len(texts[1]) < len(texts[0])
    assert texts[1] != texts[2]
    assert set(some.names()) == set(whole.names())


def test_gaps_leave_out_a_pressure_whole() -> None:
    gaps = Gaps(stream("gaps"), {"sbp": 1.0})
    assert gaps.keep({"sbp": 120.0, "dbp": 70.0, "hr": 66.0}) == {"hr": 66.0}


def test_gaps_of_none_draw_nothing() -> None:
    rng = stream("gaps")
    state = rng.getstate()
    assert Gaps(rng, {"bmi": 0.0}).keep({"bmi": 22.0}) == {"bmi": 22.0}
    assert rng.getstate() == state


def test_simulate_patient_of_a_service_depends_on_seed_and_index_alone() -> None:
    p: Parameters = draw_service(3).parameters()
    again: Parameters = draw_service(3).parameters()
    assert simulate_patient(5, 2, p) == simulate_patient(5, 2, again)
