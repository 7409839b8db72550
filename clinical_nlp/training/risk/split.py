"""Splits a cohort into patients to train on, to calibrate on and to test on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from clinical_nlp.errors import ModelError
from clinical_nlp.evaluation.splits import assign_part
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import bounded
from clinical_nlp.training.risk.arrays import Rows
from clinical_nlp.training.risk.bounds import feature_bounds
from clinical_nlp.training.risk.dataset import Cohort, Data
from clinical_nlp.training.risk.recipe import Recipe, SplitRecipe

PARTS = ("train", "calibration", "test")


@dataclass(frozen=True, slots=True)
class CohortSplit:
    """A cohort's examples and their parts; all examples of a patient are in one part.

    Parameters
    ----------
    data
        All examples.
    rows
        Row numbers of each part in ``data``.
    languages
        Of the test examples: most frequent declared language of the notes.
    bounds
        Range of each feature in ``train``; all features are held within it.
    """

    data: Data
    rows: Mapping[str, Rows]
    train: Data
    calibration: Data
    test: Data
    languages: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]

    def sizes(self) -> dict[str, dict[str, float]]:
        """Patients, examples, outcomes and weighted share of outcomes of each part."""
        return {name: _sizes(self.data.take(rows)) for name, rows in self.rows.items()}


def split_cohort(cohort: Cohort, table: FeatureTable, recipe: Recipe) -> CohortSplit:
    """Compute the features of a cohort, split its patients, and bound the features.

    Raises
    ------
    ModelError
        E420: a part has fewer examples with or without the outcome than there are folds.
    """
    data = cohort.data(table)
    rows = rows_by_part(data.patients.tolist(), recipe.split)
    bounds = feature_bounds(data.features[rows["train"]], table) if len(rows["train"]) else ()
    data = replace(data, features=bounded(data.features, bounds))
    train, calibration, test = (data.take(rows[name]) for name in PARTS)
    languages = tuple(cohort.examples[i].language for i in rows["test"])
    split = CohortSplit(data, rows, train, calibration, test, languages, bounds)
    for name, part in split.sizes().items():
        if min(part["outcomes"], part["examples"] - part["outcomes"]) < recipe.fit.folds:
            raise ModelError(
                "E420",
                f"the {name} part has {part['outcomes']:.0f} outcomes in {part['examples']:.0f} "
                "examples, too few: train on more patients, or over a longer record",
            )
    return split


def part_of(patient_id: str, recipe: SplitRecipe) -> str:
    """Return the part of a patient, by a hash of the id: always the same one."""
    shares = {"train": recipe.train, "calibration": recipe.calibration}
    return assign_part(f"{recipe.salt}|{patient_id}", shares, rest="test")


def rows_by_part(patients: Iterable[str], recipe: SplitRecipe) -> dict[str, Rows]:
    """Row numbers of each part, from the patient of each row."""
    rows: dict[str, list[int]] = {name: [] for name in PARTS}
    for number, patient in enumerate(patients):
        rows[part_of(patient, recipe)].append(number)
    return {name: np.array(numbers, dtype=np.int_) for name, numbers in rows.items()}


def _sizes(part: Data) -> dict[str, float]:
    share = float(np.average(part.outcome, weights=part.weight)) if len(part) else 0.0
    return {
        "patients": len(np.unique(part.patients)),
        "examples": len(part),
        "outcomes": int(part.outcome.sum()),
        "share": share,
    }
