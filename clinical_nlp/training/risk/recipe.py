"""A training recipe: everything that decides a model, in one TOML file."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from clinical_nlp.risk.model_spec import FAMILIES
from clinical_nlp.training.config import RecipeFile, RecipeSection, flatten

#: A share above 0 and below 1.
Share = Annotated[float, Field(gt=0, lt=1)]


def _known_family(name: str) -> str:
    if name not in FAMILIES:
        raise ValueError(f"must be among {', '.join(FAMILIES)}, not {name!r}")
    return name


def _ascending(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(values))


class CohortRecipe(RecipeSection):
    """How patients become examples.

    Parameters
    ----------
    simulated_patients, simulation_seed
        Size and seed of the simulated cohort; not used with exports.
    simulated_services
        Health services drawn at random among whose patients the simulated ones are, besides
        the shipped one: a model must not rely on the habits of one service. 0: only the
        shipped one.
    gap_days
        Lead time: a diagnosis this soon after the index day is under way already, so the
        index day is no example.
    horizon_days
        Length of the outcome window, after the gap.
    history_days
        Record there must be before the first index day, counted from the first day of the data.
    washout_days
        Record that a patient must have before an index day, from the first note, measurement,
        prescription or contact: earlier, old diseases are entered as if new (``washout.py``).
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
        is censored, and similar ones in follow-up are weighted up: IPCW).
    lost
        What an index day is whose window the record does not see out, since the patient left:
        ``"followed"``: no outcome; ``"excluded"``: no example; ``"weighted"``: no example,
        and similar ones are weighted up: IPCW (``follow_up.py``).
    lost_after_days
        Silence before the end of the data after which a patient counts as having left;
        ``None``: only who is marked as no longer active.
    first_day, last_day
        First and last day of the data, for exports: the last is the export's own latest day
        where not given, the first ``record_years`` before it.
    record_years
        See ``first_day``.
    """

    simulated_patients: PositiveInt
    simulation_seed: int
    simulated_services: int = Field(default=0, ge=0)
    gap_days: int = Field(ge=0)
    horizon_days: PositiveInt
    history_days: int = Field(ge=0)
    washout_days: int = Field(default=365, ge=0)
    step_days: PositiveInt
    min_age: int = Field(ge=0)
    controls_share: float = Field(gt=0, le=1)
    outcome: Literal["codes", "codes or notes"] = "codes"
    deaths: Literal["no outcome", "censored"] = "no outcome"
    lost: Literal["followed", "excluded", "weighted"] = "weighted"
    lost_after_days: PositiveInt | None = None
    first_day: date | None = None
    last_day: date | None = None
    record_years: PositiveInt = 6


class SplitRecipe(RecipeSection):
    """Shares of the patients, by a hash of their id; the rest is the test set.

    The model is fitted on everyone; the shares serve the leakage checks, the check in time and
    ``recalibrate``.

    ``recent_days`` is the length of the latest stretch of index days, which the temporal
    check holds back from training.
    """

    train: Share
    calibration: Share
    salt: str
    recent_days: PositiveInt = 365

    @model_validator(mode="after")
    def _leave_a_test_set(self) -> Self:
        if self.train + self.calibration >= 1:
            raise ValueError("train and calibration must leave a share for the test set")
        return self


class BoostingRecipe(RecipeSection):
    """Gradient boosting: numbers of leaves to try, and what is fixed.

    Few bins: most features are counts and flags, and measured losses were as low with 32.
    """

    leaves: Annotated[
        tuple[Annotated[int, Field(ge=2)], ...], Field(min_length=1), AfterValidator(_ascending)
    ] = (3, 6)
    iterations: PositiveInt = 60
    learning_rate: PositiveFloat = 0.1
    min_leaf: PositiveInt = 40
    bins: int = Field(default=32, ge=2, le=255)
    ridge: float = Field(default=5.0, ge=0)


class SequenceRecipe(RecipeSection):
    """The network over the timeline; training stops early on patients held out for it."""

    width: PositiveInt = 16
    dropout: float = Field(default=0.3, ge=0, lt=1)
    weight_decay: float = Field(default=0.1, ge=0)
    learning_rate: PositiveFloat = 0.004
    epochs: PositiveInt = 25
    patience: PositiveInt = 4


class FitRecipe(RecipeSection):
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
        Which kinds of model compete, of :data:`clinical_nlp.risk.model_spec.FAMILIES`.
    members
        Models refitted on resampled patients, for the interval around one estimate.
    """

    strengths: Annotated[tuple[PositiveFloat, ...], Field(min_length=1), AfterValidator(_ascending)]
    folds: int = Field(ge=2)
    seed: int
    bootstrap: PositiveInt
    families: Annotated[
        tuple[Annotated[str, AfterValidator(_known_family)], ...], Field(min_length=1)
    ] = FAMILIES
    members: PositiveInt = 100
    boosting: BoostingRecipe = BoostingRecipe()
    sequence: SequenceRecipe = SequenceRecipe()


class Recipe(RecipeFile):
    """One model's recipe."""

    shipped_as: ClassVar[str] = "models/hf-risk/recipe.toml"

    name: str
    cohort: CohortRecipe
    split: SplitRecipe
    fit: FitRecipe

    def flat(self) -> dict[str, Any]:
        """Parameters as MLflow logs them: ``cohort.gap_days`` and so on."""
        return flatten(self.model_dump(exclude={"name"}))
