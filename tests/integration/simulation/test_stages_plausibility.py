"""The second simulator's totals stay within published bounds (its stages.toml has the sources)."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from clinical_nlp.records import EventKind, Sex
from clinical_nlp.simulation import SimulatedPatient, load_stages_parameters, simulate_patients

SHIPPED = load_stages_parameters()
WHOLE = SHIPPED.as_of(SHIPPED.end)
YEARS = 5.0
CARDIAC = {
    "exertional_dyspnea",
    "orthopnea",
    "oedema",
    "nocturnal_dyspnea",
    "crackles",
    "raised_jvp",
}


@pytest.fixture(scope="module")
def many() -> list[SimulatedPatient]:
    return list(simulate_patients(2500, 3, WHOLE.without_notes()))


def _age(person: SimulatedPatient, day: date = SHIPPED.start) -> float:
    assert person.record.birth_date is not None
    return (day - person.record.birth_date).days / 365.25


def _last(person: SimulatedPatient) -> date:
    return min(d for d in (person.truth.died, person.truth.left, SHIPPED.end) if d)


def _incidence(people: list[SimulatedPatient]) -> float:
    """First diagnoses per 1,000 and year of those not yet diagnosed on the first day."""
    years, cases = 0.0, 0
    for person in people:
        diagnosed, last = person.truth.diagnosed, _last(person)
        if diagnosed is not None and diagnosed <= SHIPPED.start:
            continue
        seen = diagnosed is not None and diagnosed <= last
        cases += seen
        end = diagnosed if seen and diagnosed is not None else last
        years += (end - SHIPPED.start).days / 365.25
    return 1000 * cases / years


def test_incidence_of_stages_is_within_published_bounds(many: list[SimulatedPatient]) -> None:
    """At 45 and over between twice PULSE's 4.1 per 1,000 adults and Rotterdam's 14.4 at 55+."""
    of_45 = [person for person in many if _age(person) >= 45]
    assert 6.5 < _incidence(of_45) < 14.4
    bands = [
        _incidence([person for person in many if low <= _age(person) < high])
        for low, high in ((40, 60), (60, 70), (70, 80), (80, 110))
    ]
    assert bands == sorted(bands)
    assert bands[0] < 6  # Rotterdam: 1.4 at 55-59
    assert 25 < bands[-1] < 90  # Rotterdam: 47.4 at 90 and over
    women, men = (
        _incidence([p for p in of_45 if p.record.sex is sex and _age(p) < 80])
        for sex in (Sex.FEMALE, Sex.MALE)
    )
    assert 0.9 < men / women < 2.2  # Rotterdam: 17.6 of men, 12.5 of women


def test_diagnoses_of_stages_look_like_published_ones(many: list[SimulatedPatient]) -> None:
    cases = [p for p in many if p.truth.diagnosed and SHIPPED.start < p.truth.diagnosed <= _last(p)]
    ages = [_age(p, p.truth.diagnosed) for p in cases if p.truth.diagnosed]
    assert 73 < sum(ages) / len(ages) < 80  # CPRD: 77
    assert 0.38 < sum(p.record.sex is Sex.FEMALE for p in cases) / len(cases) < 0.64  # CPRD: 49%
    assert 0.35 < sum(bool(p.truth.acute) for p in cases) / len(cases) < 0.75  # IBERICAN: 64.4%
    assert 0.5 < sum(bool(p.truth.preserved) for p in cases) / len(cases) < 0.8  # 73.9%
    of_45 = [p for p in many if _age(p) >= 45]
    known = [p for p in of_45 if p.truth.diagnosed and p.truth.diagnosed <= SHIPPED.start]
    assert 0.031 < len(known) / len(of_45) < 0.075  # IBERICAN 3.1%, PRICE 6.8%


def test_prevalences_of_stages_are_near_published_ones(many: list[SimulatedPatient]) -> None:
    def share(name: str, low: float, high: float) -> float:
        group = [p for p in many if low <= _age(p) < high]
        began = [p.truth.conditions.get(name) for p in group]
        return sum(day is not None and day <= SHIPPED.start for day in began) / len(group)

    assert 0.10 < share("atrial_fibrillation", 80, 110) < 0.28  # OFRECE: 17.7%
    assert 0.01 < share("atrial_fibrillation", 40, 80) < 0.06  # OFRECE: 4.4% over 40
    assert 0.30 < share("hypertension", 40, 110) < 0.50  # Di@bet.es: 42.6%
    assert 0.08 < share("diabetes", 40, 110) < 0.20  # Di@bet.es: 13.8%
    assert 0.02 < share("copd", 40, 110) < 0.08  # BDCAP: 3.4% registered


def test_contacts_of_stages_rise_with_age_and_bring_others(many: list[SimulatedPatient]) -> None:
    def contacts(person: SimulatedPatient) -> list[date]:
        return [e.start for e in person.record.events if e.kind is EventKind.ENCOUNTER and e.start]

    def yearly(low: float, high: float) -> float:
        group = [p for p in many if low <= _age(p) < high and _last(p) == SHIPPED.end]
        return sum(len(contacts(p)) for p in group) / len(group) / YEARS

    assert 1.5 < yearly(40, 55) < yearly(55, 70) < yearly(70, 85) < 8
    # Self-exciting: far more contacts follow another within two weeks than by chance.
    soon = waits = 0
    expected = 0.0
    for person in many:
        days = sorted(contacts(person))
        rate = len(days) / max(1, (_last(person) - SHIPPED.start).days)
        for before, after in pairwise(days):
            waits += 1
            soon += (after - before).days <= 14
            expected += 1 - (1 - rate) ** 14
    assert soon / waits > 1.5 * expected / waits


def test_measurements_of_stages_are_as_often_as_in_practice(many: list[SimulatedPatient]) -> None:
    def share(code: str) -> float:
        have = [any(c.code == code for e in p.record.events for c in e.codings) for p in many]
        return sum(have) / len(have)

    assert 0.03 < share("33762-6") < 0.2  # NT-proBNP in five years
    assert 0.25 < share("3141-9") < 0.6  # a weight
    assert share("14682-9") > 0.75  # a creatinine


def test_notes_before_diagnosis_often_say_nothing_and_controls_complain() -> None:
    """Vijayakrishnan 2014: 15% of cases have no sign noted, 55% of controls have one."""
    silent = cases = noted = controls = 0
    for person in simulate_patients(900, 5, WHOLE):
        until = person.truth.diagnosed or SHIPPED.end
        if until <= SHIPPED.start + timedelta(days=365) or _age(person) < 60:
            continue
        signs = {
            sign
            for note in person.record.notes
            if note.written and 0 < (until - note.written.date()).days <= 365
            for sign in person.affirmed[note.key]
        }
        if person.truth.diagnosed and until <= _last(person):
            cases += 1
            silent += not signs & CARDIAC
        elif person.truth.onset is None and _last(person) == SHIPPED.end:
            controls += 1
            noted += bool(signs & CARDIAC)
    assert 0.1 < silent / cases < 0.5
    assert 0.15 < noted / controls < 0.6
