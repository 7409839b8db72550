"""A training recipe: everything that decides a model, in one TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from clinical_nlp.errors import UsageError
from clinical_nlp.risk.spec import FAMILIES

OUTCOMES = ("codes", "codes or notes")
DEATHS = ("no outcome", "censored")
LOST = ("followed", "excluded", "weighted")


@dataclass(frozen=True, slots=True)
class CohortRecipe:
    """How patients become examples.

    Parameters
    ----------
    simulated_patients, simulation_seed
        Size and seed of the simulated cohort; not used with exports.
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
    outcome
        ``"codes"``: a first coded diagnosis. ``"codes or notes"``: or notes that name it, by
        the rule of ``diagnosis.toml``.
    deaths
        What a death in the window without the diagnosis is: ``"no outcome"`` (death competes:
        the estimate is the chance of living to be diagnosed), or ``"censored"`` (the example
        is dropped, and those like it in follow-up weigh more).
    lost
        What an index day is whose window the record does not see out, since the patient left:
        ``"followed"``: no outcome; ``"excluded"``: no example; ``"weighted"``: no example,
        and those like it weigh more (``follow_up.py``).
    lost_after_days
        Silence before the end of the data after which a patient counts as having left;
        ``None``: only who is marked as no longer active.
    first_day, last_day
        First and last day of the data, for exports: the last is the export's own latest day
        where not given, the first ``record_years`` before it.
    record_years
        See ``first_day``.
    """

    simulated_patients: int
    simulation_seed: int
    gap_days: int
    horizon_days: int
    history_days: int
    step_days: int
    min_age: int
    controls_share: float
    outcome: str = "codes"
    deaths: str = "no outcome"
    lost: str = "weighted"
    lost_after_days: int | None = None
    first_day: date | None = None
    last_day: date | None = None
    record_years: int = 6


@dataclass(frozen=True, slots=True)
class SplitRecipe:
    """Shares of the patients, by a hash of their id; the rest is the test set.

    ``recent_days`` is the length of the latest stretch of index days, which the temporal
    check holds back from training.
    """

    train: float
    calibration: float
    salt: str
    recent_days: int = 365


@dataclass(frozen=True, slots=True)
class BoostingRecipe:
    """Gradient boosting: numbers of leaves to try, and what is fixed.

    Few bins: most features are counts and flags, and measured losses were as low with 32.
    """

    leaves: tuple[int, ...] = (3, 6)
    iterations: int = 60
    learning_rate: float = 0.1
    min_leaf: int = 40
    bins: int = 32
    ridge: float = 5.0


@dataclass(frozen=True, slots=True)
class SequenceRecipe:
    """The network over the timeline; training stops early on patients held out for it."""

    width: int = 16
    dropout: float = 0.3
    weight_decay: float = 0.1
    learning_rate: float = 0.004
    epochs: int = 25
    patience: int = 4


@dataclass(frozen=True, slots=True)
class FitRecipe:
    """The candidates and how one of them is chosen.

    Parameters
    ----------
    strengths
        Inverse regularisation strengths to try (``C`` of ``LogisticRegression``).
    folds
        Folds of both loops of the nested cross-validation, patients kept whole.
    seed
        Of the folds and the bootstrap.
    bootstrap
        Resamples of the patients for each interval.
    families
        Which kinds of model compete, of :data:`clinical_nlp.risk.spec.FAMILIES`.
    members
        Models refitted on resampled patients, for the interval around one estimate.
    """

    strengths: tuple[float, ...]
    folds: int
    seed: int
    bootstrap: int
    families: tuple[str, ...] = FAMILIES
    members: int = 100
    boosting: BoostingRecipe = BoostingRecipe()
    sequence: SequenceRecipe = SequenceRecipe()


@dataclass(frozen=True, slots=True)
class Recipe:
    """One model's recipe."""

    name: str
    cohort: CohortRecipe
    split: SplitRecipe
    fit: FitRecipe

    def flat(self) -> dict[str, Any]:
        """Parameters as MLflow logs them: ``cohort.gap_days`` and so on."""
        return dict(_flat(asdict(self)))


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows.extend(_flat(value, f"{name}."))
        elif prefix:
            rows.append((name, value))
    return rows


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
        recipe = Recipe(
            name=str(data["name"]),
            cohort=CohortRecipe(**data["cohort"]),
            split=SplitRecipe(**data["split"]),
            fit=_fit(data["fit"]),
        )
        _check(recipe)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "E121",
            f"the recipe '{path}' lacks a part or holds a wrong one ({error}): "
            "compare it with models/hf-risk/recipe.toml",
        ) from None
    return recipe


def _fit(data: Mapping[str, Any]) -> FitRecipe:
    values = dict(data)
    values["strengths"] = tuple(sorted(float(c) for c in data["strengths"]))
    if "families" in data:
        values["families"] = tuple(str(name) for name in data["families"])
    if "boosting" in data:
        leaves = tuple(sorted(int(n) for n in data["boosting"]["leaves"]))
        values["boosting"] = BoostingRecipe(**dict(data["boosting"], leaves=leaves))
    if "sequence" in data:
        values["sequence"] = SequenceRecipe(**data["sequence"])
    return FitRecipe(**values)


def _check(recipe: Recipe) -> None:
    shares = recipe.split.train, recipe.split.calibration
    if min(shares) <= 0 or sum(shares) >= 1:
        raise ValueError("split.train and split.calibration must leave a share for the test")
    if not 0 < recipe.cohort.controls_share <= 1:
        raise ValueError("cohort.controls_share must be over 0 and up to 1")
    if recipe.cohort.outcome not in OUTCOMES:
        raise ValueError(f"cohort.outcome must be one of {', '.join(OUTCOMES)}")
    if recipe.cohort.deaths not in DEATHS:
        raise ValueError(f"cohort.deaths must be one of {', '.join(DEATHS)}")
    if recipe.cohort.lost not in LOST:
        raise ValueError(f"cohort.lost must be one of {', '.join(LOST)}")
    if not recipe.fit.strengths or min(recipe.fit.strengths) <= 0:
        raise ValueError("fit.strengths must be positive numbers")
    families = recipe.fit.families
    if not families or not set(families) <= set(FAMILIES):
        raise ValueError(f"fit.families must be among {', '.join(FAMILIES)}")
    if recipe.fit.folds < 2:
        raise ValueError("fit.folds must be 2 or more")
