"""From one cohort to another: what a model learnt here is worth there.

Structured data alone, since a second cohort may have no notes. Each cohort is also
cross-validated within itself: what one trained there could reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from clinical_nlp.errors import ModelError
from clinical_nlp.lexicon import Lexicon
from clinical_nlp.records import NoteFindings, PatientRecord
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.training.risk.candidates import (
    Candidate,
    LogisticCandidate,
    age_and_sex,
    portable,
)
from clinical_nlp.training.risk.cohort import sampling_weight
from clinical_nlp.training.risk.dataset import Cohort, Data, cut
from clinical_nlp.training.risk.measures import Measure, Vector, assess
from clinical_nlp.training.risk.nested import fit_best
from clinical_nlp.training.risk.recipe import CohortRecipe, FitRecipe


@dataclass(frozen=True, slots=True)
class Transfer:
    """One model, where it was trained and where it was tested."""

    trained: str
    tested: str
    model: str
    patients: int
    outcomes: int
    measures: dict[str, Measure]


def structured_cohort(
    records: Iterable[PatientRecord],
    lexicon: Lexicon,
    days: tuple[date, date],
    recipe: CohortRecipe,
    progress: Callable[[int], None] = lambda patients: None,
) -> Cohort:
    """Cut patients into examples without reading a note."""

    def silent() -> Iterator[tuple[PatientRecord, float, tuple[NoteFindings, ...]]]:
        for record in records:
            yield replace(record, notes=()), sampling_weight(record, days[0], recipe), ()

    return cut(silent(), lexicon, days, recipe, progress)


def transfer(
    first: Cohort, second: Cohort, names: tuple[str, str], recipe: FitRecipe
) -> list[Transfer]:
    """Train and test logistic regression within and across.

    On all structured data, on what both cohorts mean alike, and on age and sex alone.

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
            "what both cohorts mean alike",
            table,
            recipe.strengths,
            portable(table, *cohorts.values()),
        ),
        age_and_sex(table, recipe),
    ]
    found = []
    for candidate in models:
        for here, data in cohorts.items():
            inside = _within(candidate, data, recipe)
            found.append(_told(here, here, candidate, data, inside, recipe))
            model, _ = fit_best(candidate, data, recipe.folds, recipe.seed)
            for there, other in cohorts.items():
                if there != here:
                    z = candidate.log_odds(model, other)
                    found.append(_told(here, there, candidate, other, z, recipe))
    return found


def transfer_markdown(rows: Iterable[Transfer]) -> str:
    """Return one row a model and pair of cohorts."""
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


def _within(candidate: Candidate, data: Data, recipe: FitRecipe) -> Vector:
    z = np.zeros(len(data))
    folds = StratifiedGroupKFold(recipe.folds, shuffle=True, random_state=recipe.seed)
    for train, held_out in folds.split(data.features, data.outcome, groups=data.patients):
        model, _ = fit_best(candidate, data.take(train), recipe.folds, recipe.seed + 1)
        z[held_out] = candidate.log_odds(model, data.take(held_out))
    return z


def _told(
    here: str, there: str, candidate: Candidate, data: Data, log_odds: Vector, recipe: FitRecipe
) -> Transfer:
    probability = 1 / (1 + np.exp(-np.clip(log_odds, -40.0, 40.0)))
    measures = assess(
        data.outcome, probability, data.weight, data.patients, recipe.bootstrap, recipe.seed
    )
    people = len(np.unique(data.patients))
    return Transfer(here, there, candidate.name, people, int(data.outcome.sum()), measures)
