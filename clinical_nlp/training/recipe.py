"""A training recipe: everything that decides a model, in one TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clinical_nlp.errors import UsageError


@dataclass(frozen=True, slots=True)
class CohortRecipe:
    """How patients become examples.

    Parameters
    ----------
    simulated_patients, simulation_seed
        Size and seed of the simulated cohort.
    gap_days
        Lead time: a diagnosis this soon after the index day is under way already, so the
        index day is no example.
    horizon_days
        Length of the outcome window, after the gap.
    history_days
        Record a patient must have before an index day.
    step_days
        From one index day of a patient to the next.
    min_age
        Youngest age on an index day, in years.
    controls_share
        Share (0..1] of the patients without the outcome whose notes are read.
    """

    simulated_patients: int
    simulation_seed: int
    gap_days: int
    horizon_days: int
    history_days: int
    step_days: int
    min_age: int
    controls_share: float


@dataclass(frozen=True, slots=True)
class SplitRecipe:
    """Shares of the patients, by a hash of their id; the rest is the test set."""

    train: float
    calibration: float
    salt: str


@dataclass(frozen=True, slots=True)
class FitRecipe:
    """The classifier and how its strength is chosen.

    Parameters
    ----------
    strengths
        Inverse regularisation strengths to try (``C`` of ``LogisticRegression``).
    folds
        Folds of the grouped cross-validation.
    seed
        Of the folds and the bootstrap.
    bootstrap
        Resamples of the patients for each interval.
    """

    strengths: tuple[float, ...]
    folds: int
    seed: int
    bootstrap: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """One model's recipe."""

    name: str
    cohort: CohortRecipe
    split: SplitRecipe
    fit: FitRecipe

    def flat(self) -> dict[str, Any]:
        """Parameters as MLflow logs them: ``cohort.gap_days`` and so on."""
        parts = {name: part for name, part in asdict(self).items() if isinstance(part, dict)}
        return {f"{p}.{k}": v for p, part in parts.items() for k, v in part.items()}


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises
    ------
    UsageError
        E120: the file cannot be read; E121: a part is missing or out of range.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            "E120", f"the recipe '{path}' cannot be read ({error}): give --config a TOML file"
        ) from None
    try:
        fit = dict(data["fit"], strengths=tuple(float(c) for c in data["fit"]["strengths"]))
        recipe = Recipe(
            name=str(data["name"]),
            cohort=CohortRecipe(**data["cohort"]),
            split=SplitRecipe(**data["split"]),
            fit=FitRecipe(**fit),
        )
        shares = recipe.split.train, recipe.split.calibration
        if min(shares) <= 0 or sum(shares) >= 1:
            raise ValueError("split.train and split.calibration must leave a share for the test")
        if not 0 < recipe.cohort.controls_share <= 1:
            raise ValueError("cohort.controls_share must be over 0 and up to 1")
        if not recipe.fit.strengths or min(recipe.fit.strengths) <= 0:
            raise ValueError("fit.strengths must be positive numbers")
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "E121",
            f"the recipe '{path}' lacks a part or holds a wrong one ({error}): "
            "compare it with models/hf-risk/recipe.toml",
        ) from None
    return recipe
