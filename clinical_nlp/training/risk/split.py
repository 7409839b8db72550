"""A cohort as columns, and its patients in parts.

The model is fitted on everyone (:mod:`clinical_nlp.training.risk.cross_fitting`). The parts are
for what needs patients set aside: leakage checks, the check in time, and recalibration.
"""

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
        Of the examples: most frequent declared language of the notes.
    bounds
        Range of each feature; all features are held within it.
    """

    data: Data
    rows: Mapping[str, Rows]
    languages: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]

    def sizes(self) -> dict[str, float]:
        """Patients, examples, outcomes and weighted share of outcomes."""
        return _sizes(self.data)


def split_cohort(cohort: Cohort, table: FeatureTable, recipe: Recipe) -> CohortSplit:
    """Compute the features of a cohort, split its patients, and bound the features.

    Raises
    ------
    ModelError
        E420: there are fewer examples with or without the outcome than folds, or a part has
        none.
    """
    data = cohort.data(table)
    rows = rows_by_part(data.patients.tolist(), recipe.split)
    bounds = feature_bounds(data.features, table) if len(data) else ()
    data = replace(data, features=bounded(data.features, bounds))
    split = CohortSplit(data, rows, tuple(e.language for e in cohort.examples), bounds)
    _require_outcomes("the cohort", split.sizes(), recipe.fit.folds, cohort.left_out)
    for name, numbers in rows.items():
        _require_outcomes(f"the {name} part", _sizes(data.take(numbers)), 1)
    return split


def _require_outcomes(
    name: str, sizes: Mapping[str, float], fewest: int, left_out: Mapping[str, int] | None = None
) -> None:
    if min(sizes["outcomes"], sizes["examples"] - sizes["outcomes"]) < fewest:
        reasons = sorted((left_out or {}).items(), key=lambda item: (-item[1], item[0]))
        listed = ", ".join(f"{reason} {count}" for reason, count in reasons[:4] if count)
        raise ModelError(
            "E420",
            f"{name} has {sizes['outcomes']:.0f} outcomes in {sizes['examples']:.0f} examples, too "
            f"few{f' (index days left out: {listed})' if listed else ''}: train on more patients, "
            "or over a longer record, and see with 'clinical-nlp codes' whether the diagnoses are "
            "recognised",
        )


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
