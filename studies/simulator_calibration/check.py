"""Calibration of the simulator: measures a simulated cohort against the literature.

Prints incidence, prevalence, signs before the diagnosis and AUROCs of a simulated cohort, then
each published target (``targets.toml``) beside the simulated figure and the accepted range.
The simulator reads nothing of this. Run by hand (minutes)::

    python -m studies.simulator_calibration.check --patients 16000 --seed 1 --strict

Last measured: no target missed; incidence at 45 and over 12.8 per 1,000 and year, mean age at
diagnosis 75.2, AUROC 0.787 of age and sex, 0.815 of all that is written. Quoted in full in
``studies/simulation.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date

from clinical_nlp.simulation.parameters import Parameters, load_parameters
from clinical_nlp.simulation.simulator import simulate_patients
from studies.simulator_calibration.discrimination import discrimination
from studies.simulator_calibration.epidemiology import (
    curves,
    incidence,
    prevalence,
    registered,
    signs_before,
)
from studies.simulator_calibration.people import YEAR, Person, summarise
from studies.simulator_calibration.targets import load_targets, missed, targets_markdown

#: Days from which a diagnosis is predicted.
LANDMARKS = (date(2022, 6, 30), date(2023, 6, 30), date(2024, 6, 30))


def print_notes(people: Sequence[Person]) -> None:
    """Print number, length and languages of the notes."""
    notes = sum(len(person.signs) for person in people)
    print(f"patients {len(people)}, notes {notes}, {notes / len(people):.1f} a patient")
    print(f"words a note {sum(person.words for person in people) / notes:.0f}")
    languages = Counter(name for person in people for name in person.languages)
    print("languages", {k: f"{100 * v / notes:.1f}%" for k, v in sorted(languages.items())})


def print_measures(people: Sequence[Person], p: Parameters) -> dict[str, float]:
    """Print the measures of a cohort; return them by the key that targets have."""
    measured: dict[str, float] = {}
    print("\nincidence of heart failure per 1,000 and year")
    for name, rate in incidence(people, p.start, p.end).items():
        measured[f"incidence {name}"] = rate
        print(f"  {name:<6}{rate:8.1f}")
    ages = [q.age(q.diagnosed) for q in people if q.diagnosed and q.diagnosed > p.start]
    measured["age at diagnosis"] = sum(ages) / max(1, len(ages))
    print(f"mean age at diagnosis {measured['age at diagnosis']:.1f}")
    print("\nprevalence on the first day, %")
    for name, row in prevalence(people, p.start).items():
        measured |= {f"prevalence {name} {group}": value for group, value in row.items()}
        cells = "".join(f"{group}:{value:5.1f}  " for group, value in row.items())
        print(f"  {name:<24}{cells}")
    print("\nCOPD on the problem list, a year on, %")
    for group, value in registered(people, p.start + YEAR, "copd").items():
        measured[f"registered copd {group}"] = value
        print(f"  {group:<24}{value:7.1f}")
    print("\nprevalence by sex and age on the first day, %: the curve given, and simulated")
    for name, group, curve, simulated in curves(people, p.start, p):
        print(f"  {name:<24}{group:<5}{curve:7.1f}{simulated:7.1f}")
    print("\nFramingham criteria noted in the year before, %")
    for name, value in signs_before(people, p.start + YEAR, p.end).items():
        measured[name] = value
        print(f"  {name:<34}{value:7.1f}")
    print("\nAUROC for heart failure within 31 to 395 days")
    for name, value in discrimination(people, LANDMARKS).items():
        measured[f"auroc {name}"] = value
        print(f"  {name:<32}{value:9.3f}")
    return measured


def main() -> None:
    """Print every table; exit with 1 where ``--strict`` and a target is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=20000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--strict", action="store_true", help="fail where a target is missed")
    chosen = options.parse_args()
    shipped = load_parameters()
    p = shipped.as_of(shipped.end)
    people = [summarise(x, p.start) for x in simulate_patients(chosen.patients, chosen.seed, p)]
    print_notes(people)
    measured = print_measures(people, p)
    print("\nagainst the literature\n")
    print(targets_markdown(load_targets(), measured), end="")
    if chosen.strict and missed(load_targets(), measured):
        sys.exit(1)


if __name__ == "__main__":
    main()
