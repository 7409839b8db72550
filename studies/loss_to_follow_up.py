"""Loss to follow-up: how it biases the risk, where the truth is known.

Simulates the same people twice, as they are and with nobody moving away, and prints the share
of index days with the outcome under each choice that a recipe has
(``clinical_nlp/training/risk/follow_up.py``) beside the share had everyone stayed. Structured
data alone: notes change no outcome. Run by hand (minutes)::

    python -m studies.loss_to_follow_up --patients 6000

Last measured, leaving ten times as often as published: bias -1.4% if taken as followed, +3.4%
if excluded, +0.9% with IPCW (the default). Quoted in full in ``studies/risk_model.md``.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import PatientRecord
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.simulation.parameters import Parameters, load_parameters
from clinical_nlp.simulation.simulator import simulate_patients
from clinical_nlp.training.risk.cohort import Example, censor, landmark_examples
from clinical_nlp.training.risk.recipe import CohortRecipe

#: The choices compared: name, the recipe's ``lost``, and its ``lost_after_days``.
CHOICES: tuple[tuple[str, str, int | None], ...] = (
    ("taken as followed", "followed", None),
    ("no longer active: excluded", "excluded", None),
    ("no longer active: weighted", "weighted", None),
    ("or silent for 730 days: weighted", "weighted", 730),
    ("or silent for 365 days: weighted", "weighted", 365),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One choice: the risk it gives, and that had everyone stayed."""

    choice: str
    lost: int
    risk: float
    truth: float


def compare(
    base: CohortRecipe, factors: Sequence[float], parameters: Parameters
) -> dict[float, list[Row]]:
    """Compare the choices on one population.

    Parameters
    ----------
    base
        Windows, and the number of patients and their seed.
    factors
        On the chances of leaving.
    """
    silent = parameters.without_notes()  # the days of contact are in the structured record too
    days = (parameters.start, parameters.end)
    nobody_leaves = _people(replace(silent, leaving=((0.0, 0.0),)), base)
    truth, _ = _risk(nobody_leaves, days, base.replace(lost="followed"))
    rows: dict[float, list[Row]] = {}
    for factor in factors:
        chances = tuple((age, min(1.0, factor * yearly)) for age, yearly in parameters.leaving)
        people = _people(replace(silent, leaving=chances), base)
        rows[factor] = []
        for name, lost, silence in CHOICES:
            recipe = base.replace(lost=lost, lost_after_days=silence)
            risk, number_lost = _risk(people, days, recipe)
            rows[factor].append(Row(name, number_lost, risk, truth))
    return rows


def _people(p: Parameters, base: CohortRecipe) -> list[tuple[PatientRecord, Timeline]]:
    lexicon = load_lexicon()
    people = simulate_patients(base.simulated_patients, base.simulation_seed, p.as_of(p.end))
    records = [replace(person.record, notes=()) for person in people]
    return [(record, build_timeline(record, (), lexicon, p.end)) for record in records]


def _risk(
    people: Sequence[tuple[PatientRecord, Timeline]], days: tuple[date, date], recipe: CohortRecipe
) -> tuple[float, int]:
    """Share of index days with the outcome, and how many were lost."""
    left_out: Counter[str] = Counter()
    examples: list[Example] = []
    for record, timeline in people:
        examples.extend(landmark_examples(record, timeline, *days, recipe, 1.0, left_out))
    lost = sum(example.lost for example in examples)
    kept = censor(examples, recipe, left_out)
    outcome, weight = np.array([(e.outcome, e.weight) for e in kept], dtype=np.float64).T
    return float(np.average(outcome, weights=weight)), lost


def main() -> None:
    """Print one table for the published chances of leaving, one for ten times those."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=12000)
    options.add_argument("--seed", type=int, default=3)
    chosen = options.parse_args()
    base = CohortRecipe(
        simulated_patients=chosen.patients, simulation_seed=chosen.seed, gap_days=30,
        horizon_days=365, history_days=365, step_days=365, min_age=40, controls_share=1.0,
    )  # fmt: skip
    for factor, rows in compare(base, (1.0, 10.0), load_parameters()).items():
        print(f"\nchances of leaving times {factor:g}\n")
        print("| those who leave | index days lost | risk | had everyone stayed | bias |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for row in rows:
            bias = 100 * (row.risk / row.truth - 1)
            cells = (row.choice, row.lost, f"{row.risk:.3%}", f"{row.truth:.3%}", f"{bias:+.1f}%")
            print(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
