"""The cohort's totals stay near what the literature reports (docs/explanation/simulation.md)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from clinical_nlp.simulation import load_parameters, simulate_patients
from clinical_nlp.training.risk.recipe import CohortRecipe
from studies.loss_to_follow_up import compare
from studies.simulator_calibration.epidemiology import (
    FRAMINGHAM,
    incidence,
    prevalence,
    signs_before,
)
from studies.simulator_calibration.people import Person, summarise

YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
def people() -> list[Person]:
    p = load_parameters()
    p = p.as_of(p.end)
    return [summarise(person, p.start) for person in simulate_patients(4000, 17, p)]


def test_cohort_incidence_matches_spanish_primary_care(people: list[Person]) -> None:
    p = load_parameters()
    # 12.8 per 1,000 and year (IBERICAN); about 230 cases here, so +-20% is three deviations.
    assert incidence(people, p.start, p.end)["45+"] == pytest.approx(12.8, rel=0.22)


def test_cohort_signs_precede_most_diagnoses_and_half_of_controls(
    people: list[Person],
) -> None:
    p = load_parameters()
    found = signs_before(people, p.start + YEAR, p.end)
    assert found["any, cases"] == pytest.approx(85, abs=7)  # Vijayakrishnan 2014: 85%
    assert found["any, controls"] == pytest.approx(55, abs=5)  # and 55%


def test_cohort_signs_recur_in_cases(people: list[Person]) -> None:
    """Steinhubl 2013: signs are affirmed, then absent, then affirmed again."""
    returns = 0
    cases = [person for person in people if person.diagnosed and len(person.signs) > 8]
    for person in cases:
        seen = [bool(FRAMINGHAM & set(signs)) for day, signs in person.signs]
        changes = sum(a != b for a, b in pairwise(seen))
        returns += changes >= 3
    assert returns / len(cases) > 0.6


def test_cohort_prevalences_are_near_parameters(people: list[Person]) -> None:
    table = prevalence(people, load_parameters().start)
    bounds = {
        "hypertension": (30, 43),
        "diabetes": (10, 16),
        "atrial_fibrillation": (3, 5.5),
        "ischemic_heart_disease": (3.5, 7),
        "copd": (3.5, 6.2),
        "chronic_kidney_disease": (6, 11),
        "heart_failure": (1.8, 4),
    }
    for name, (low, high) in bounds.items():
        assert low < table[name]["all"] < high, name


def test_cohort_notes_have_no_dominant_sentence() -> None:
    """The most frequent sentence of the notes is a small share of them all."""
    sentences: Counter[str] = Counter()
    for person in simulate_patients(150, seed=23):
        for note in person.record.notes:
            sentences.update(s.strip().lower() for s in note.text.replace("\n", ". ").split(". "))
    assert sentences.most_common(1)[0][1] < 0.03 * sentences.total()
    assert len(sentences) > 2500


def test_loss_to_follow_up_is_compared_with_complete_follow_up() -> None:
    base = CohortRecipe(
        simulated_patients=150, simulation_seed=5, gap_days=30, horizon_days=365,
        history_days=365, step_days=365, min_age=40, controls_share=1.0,
    )  # fmt: skip
    rows = compare(base, (0.0, 20.0), load_parameters())
    none_lost, many_lost = rows[0.0], rows[20.0]
    risks = {row.choice: row.risk for row in none_lost[:3]}
    assert set(risks.values()) == {none_lost[0].truth}  # where nobody left, no choice matters
    assert none_lost[0].lost == 0 < many_lost[0].lost
    # The gaps in contact add to those lost.
    assert [row.lost for row in many_lost] == sorted(row.lost for row in many_lost)
    assert many_lost[1].risk > many_lost[0].risk  # the lost are all without the outcome
