"""Measures of the second simulator (``simulate --mechanics stages``) for docs/explanation.

Prints notes, incidence, diagnoses, contacts and AUROCs of a simulated cohort; with ``--services``
of several of its services, drawn at random. Run by hand (minutes)::

    python -m studies.simulator_calibration.stages --patients 12000 --seed 1
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

from clinical_nlp.records import EventKind, Sex
from clinical_nlp.simulation import (
    SimulatedPatient,
    StagesParameters,
    draw_stages_parameters,
    load_stages_parameters,
    simulate_patients,
)
from studies.simulator_calibration.check import LANDMARKS, print_notes
from studies.simulator_calibration.discrimination import discrimination
from studies.simulator_calibration.epidemiology import FRAMINGHAM, incidence, signs_before
from studies.simulator_calibration.people import YEAR, Person, summarise

_MEASURED = {"NT-proBNP": "33762-6", "weight": "3141-9", "creatinine": "14682-9"}


class Totals:
    """Counts of what :func:`summarise` does not keep."""

    def __init__(self) -> None:
        self.contacts = self.patients = self.unnamed = 0
        self.measured = dict.fromkeys(_MEASURED, 0)
        self.acute: list[bool] = []
        self.preserved: list[bool] = []

    def add(self, patient: SimulatedPatient, p: StagesParameters) -> None:
        """Count one patient."""
        truth = patient.truth
        self.patients += 1
        codes = {event.codings[0].code for event in patient.record.events}
        kinds = [event.kind for event in patient.record.events]
        self.contacts += kinds.count(EventKind.ENCOUNTER)
        self.unnamed += truth.onset is not None and truth.diagnosed is None
        for name, code in _MEASURED.items():
            self.measured[name] += code in codes
        if truth.diagnosed is not None and truth.diagnosed > p.start:
            self.acute.append(bool(truth.acute))
            self.preserved.append(bool(truth.preserved))


def read(patients: Iterable[SimulatedPatient], p: StagesParameters) -> tuple[list[Person], Totals]:
    """Summarise a cohort, one patient at a time."""
    people, totals = [], Totals()
    for patient in patients:
        totals.add(patient, p)
        people.append(summarise(patient, p.start))
    return people, totals


def silent_share(people: Sequence[Person], p: StagesParameters) -> float:
    """Return the share of cases without a Framingham sign noted in the year before."""
    cases = [q for q in people if q.diagnosed is not None and q.diagnosed > p.start + YEAR]
    silent = 0
    for person in cases:
        assert person.diagnosed is not None  # noqa: S101 - selected above
        silent += not any(
            FRAMINGHAM & set(signs)
            for day, signs in person.signs
            if person.diagnosed - YEAR <= day < person.diagnosed
        )
    return silent / max(1, len(cases))


def print_cohort(people: Sequence[Person], totals: Totals, p: StagesParameters) -> None:
    """Print every measure."""
    print_notes(people)
    print(f"contacts a year {totals.contacts / totals.patients / 5:.1f}")
    for name, count in totals.measured.items():
        print(f"with a {name} {100 * count / totals.patients:.1f}%")
    print("first diagnoses per 1,000 and year")
    for name, rate in incidence(people, p.start, p.end).items():
        print(f"  {name:<6}{rate:8.1f}")
    cases = [q for q in people if q.diagnosed is not None and q.diagnosed > p.start]
    of_45 = [q for q in people if q.age(p.start) >= 45]
    known = sum(q.diagnosed is not None and q.diagnosed <= p.start for q in of_45)
    ages = [q.age(q.diagnosed) for q in cases if q.diagnosed is not None]
    print(f"prevalent at 45 and over {100 * known / len(of_45):.1f}%")
    print(f"diagnosed {len(cases)}, mean age {sum(ages) / max(1, len(ages)):.1f}")
    women = sum(q.sex is Sex.FEMALE for q in cases)
    print(f"women {100 * women / max(1, len(cases)):.0f}%")
    print(f"in hospital {100 * sum(totals.acute) / max(1, len(totals.acute)):.0f}%")
    print(f"preserved {100 * sum(totals.preserved) / max(1, len(totals.preserved)):.0f}%")
    print(f"stage C that nobody named {totals.unnamed}")
    print(f"diagnosed with nothing noted in the year before {100 * silent_share(people, p):.1f}%")
    for name, value in signs_before(people, p.start + YEAR, p.end).items():
        if name.startswith("any"):
            print(f"  Framingham criterion noted, {name:<22}{value:6.1f}%")
    print("AUROC for heart failure within 31 to 395 days")
    for name, value in discrimination(people, LANDMARKS).items():
        print(f"  {name:<32}{value:9.3f}")


def main() -> None:
    """Print the measures of the shipped second simulator, or of services of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=12000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--services", type=int, default=0, help="how many, instead of the shipped")
    chosen = options.parse_args()
    cohorts = {"shipped": load_stages_parameters()}
    if chosen.services:
        cohorts = {f"service {n}": draw_stages_parameters(n) for n in range(chosen.services)}
    for name, shipped in cohorts.items():
        p = shipped.as_of(shipped.end)
        print(f"\n{name}")
        print_cohort(*read(simulate_patients(chosen.patients, chosen.seed, p), p), p)


if __name__ == "__main__":
    main()
