"""Transfer: trains on one cohort and tests on another.

Structured data alone, since a second cohort may have no notes. Each cohort is also
cross-validated within itself, for what a model trained there could reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from clinical_nlp.errors import ModelError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import PatientRecord
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.simulation import load_parameters, simulate_patients
from clinical_nlp.training.risk.arrays import Vector, inverse_logit
from clinical_nlp.training.risk.candidates import (
    Candidate,
    LogisticCandidate,
    age_and_sex_baseline,
    transportable_features,
)
from clinical_nlp.training.risk.cohort import sampling_weight
from clinical_nlp.training.risk.dataset import Cohort, Data, ReadPatient, build_cohort
from clinical_nlp.training.risk.measures import Measure, assess
from clinical_nlp.training.risk.model_selection import out_of_fold_log_odds, tune_and_fit
from clinical_nlp.training.risk.recipe import CohortRecipe, FitRecipe


@dataclass(frozen=True, slots=True)
class TransferResult:
    """One model, where it was trained and where it was tested."""

    trained: str
    tested: str
    model: str
    patients: int
    outcomes: int
    measures: dict[str, Measure]


def structured_cohort(
    records: Iterable[PatientRecord],
    days: tuple[date, date],
    recipe: CohortRecipe,
    progress: Callable[[int], None] = lambda patients: None,
) -> Cohort:
    """Build a cohort without reading a note."""

    def without_notes() -> Iterator[ReadPatient]:
        for record in records:
            yield replace(record, notes=()), sampling_weight(record, days[0], recipe), ()

    return build_cohort(without_notes(), load_lexicon(), days, recipe, progress)


def simulated_structured_cohort(
    patients: int, recipe: CohortRecipe, progress: Callable[[int], None] = lambda patients: None
) -> Cohort:
    """Simulate patients, structured data only, up to the end of the simulation."""
    shipped = load_parameters()
    parameters = shipped.without_notes().as_of(shipped.end)
    people = simulate_patients(patients, recipe.simulation_seed, parameters)
    days = (shipped.start, shipped.end)
    return structured_cohort((person.record for person in people), days, recipe, progress)


def transfer_between(
    first: Cohort, second: Cohort, names: tuple[str, str], recipe: FitRecipe
) -> list[TransferResult]:
    """Train and test logistic regression within and across cohorts.

    On all structured data, on features that mean the same in both, and on age and sex alone.

    Within a cohort by cross-validation over patients; across, fitted on all of one and
    tested on all of the other, uncalibrated there.

    Raises
    ------
    ModelError
        E420: a cohort has too few outcomes for its folds.
    """
    table = load_features()
    cohorts = dict(zip(names, (first.data(table), second.data(table)), strict=True))
    for name, data in cohorts.items():
        if data.outcome.sum() < 2 * recipe.folds:
            raise ModelError(
                "E420",
                f"the cohort '{name}' has {data.outcome.sum()} outcomes, too few: "
                "give more patients, or an earlier first day",
            )
    models: list[Candidate] = [
        LogisticCandidate("structured data", table, recipe.strengths),
        LogisticCandidate(
            "features with the same meaning in both",
            table,
            recipe.strengths,
            transportable_features(table, *cohorts.values()),
        ),
        age_and_sex_baseline(table, recipe),
    ]
    results = []
    for candidate in models:
        for trained, data in cohorts.items():
            z, _, _ = out_of_fold_log_odds(candidate, data, recipe.folds, recipe.seed)
            results.append(_result(trained, trained, candidate, data, z, recipe))
            model, _ = tune_and_fit(candidate, data, recipe.folds, recipe.seed)
            for tested, other in cohorts.items():
                if tested != trained:
                    z = candidate.log_odds(model, other)
                    results.append(_result(trained, tested, candidate, other, z, recipe))
    return results


def transfer_markdown(rows: Iterable[TransferResult]) -> str:
    """Return a table with one row per model and pair of cohorts."""
    lines = [
        "| model | trained on | tested on | patients, outcomes | AUROC | calibration slope "
        "| calibration intercept |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        cells = (
            row.model,
            row.trained,
            row.tested + (" (cross-validated)" if row.trained == row.tested else ""),
            f"{row.patients}, {row.outcomes}",
            str(row.measures["auroc"]),
            str(row.measures["calibration_slope"]),
            str(row.measures["calibration_intercept"]),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _result(
    trained: str,
    tested: str,
    candidate: Candidate,
    data: Data,
    log_odds: Vector,
    recipe: FitRecipe,
) -> TransferResult:
    probability = inverse_logit(log_odds, bound=40.0)
    measures = assess(
        data.outcome, probability, data.weight, data.patients, recipe.bootstrap, recipe.seed
    )
    patients, outcomes = len(np.unique(data.patients)), int(data.outcome.sum())
    return TransferResult(trained, tested, candidate.name, patients, outcomes, measures)
