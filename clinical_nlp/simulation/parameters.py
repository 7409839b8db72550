"""The simulator's parameters: ``parameters.toml`` as typed, frozen values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.errors import UsageError
from clinical_nlp.simulation.habits import Habits, parse_habits
from clinical_nlp.simulation.rng import logit

#: Days in a year, throughout the simulation.
YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Curve:
    """Prevalence against age: the logit is linear between knots and beyond them.

    Parameters
    ----------
    ages
        Knots in years, rising.
    logits
        Logit of the prevalence at each knot.
    """

    ages: tuple[float, ...]
    logits: tuple[float, ...]

    @classmethod
    def from_percent(cls, ages: list[float], percents: list[float]) -> Curve:
        """Build the curve of prevalences given in per cent."""
        return cls(tuple(ages), tuple(logit(min(max(p, 1e-4), 99.9) / 100) for p in percents))

    def at(self, age: float) -> float:
        """Return the logit of the prevalence at ``age``."""
        i = 0
        while i < len(self.ages) - 2 and age >= self.ages[i + 1]:
            i += 1
        return self.logits[i] + self._slope(i) * (age - self.ages[i])

    def age_of(self, value: float) -> float:
        """Return the first age whose logit reaches ``value``; infinity where none does.

        A person whose own threshold is ``value`` falls ill at that age, which gives a
        cohort both the prevalence of the curve and the incidence that goes with it.
        """
        for i in range(len(self.ages) - 1):
            slope = self._slope(i)
            low, high = self.logits[i], self.logits[i + 1]
            if i == 0 and value <= low:
                # A curve that falls from its first knot: everyone at risk is ill before it.
                return self.ages[0] + (value - low) / slope if slope > 0 else float("-inf")
            if slope > 0 and low < value <= high:
                return self.ages[i] + (value - low) / slope
        return float("inf")

    def _slope(self, i: int) -> float:
        return (self.logits[i + 1] - self.logits[i]) / (self.ages[i + 1] - self.ages[i])


@dataclass(frozen=True, slots=True)
class ConditionParameters:
    """One long-term condition; see ``[conditions]`` in the file."""

    name: str
    women: Curve
    men: Curve
    coded: float
    lag: float
    metabolic: float = 0.0
    lungs: float = 0.0
    earliest: float = 18.0


@dataclass(frozen=True, slots=True)
class HeartFailureParameters:
    """Hazard, course and coding of heart failure; see ``[heart_failure]``."""

    base: float
    per_decade: float
    level_from: float
    male: float
    frailty_sd: float
    preserved: float
    diagnosed_in_primary_care: float
    coded: float
    code_lag: float
    silent: float
    delay_median: float
    delay_sigma: float
    delay_max: float
    women: Curve
    men: Curve
    log_hazard: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Region:
    """Where patients live and which language their notes may be in."""

    name: str
    share: float
    language: str
    notes: float


@dataclass(frozen=True, slots=True)
class Parameters:
    """All parameters of a simulation.

    Parameters
    ----------
    start, cut, end
        First day of the record, the day it is shown as of, and the last day of the truth.
    population, death, waves, care
        Numbers by name, as in the file.
    leaving
        Pairs (age from which, probability a year) of moving out of the health service's area.
    leaving_known
        Share of those who left whose record is marked as no longer active.
    signs
        Rate of each sign by its cause.
    habits
        How the service codes, prescribes, measures and writes.
    """

    start: date
    cut: date
    end: date
    ages: tuple[float, ...]
    shares: tuple[float, ...]
    women: tuple[float, ...]
    join_late: float
    leaving: tuple[tuple[float, float], ...]
    leaving_known: float
    rural: float
    regions: tuple[Region, ...]
    conditions: tuple[ConditionParameters, ...]
    heart_failure: HeartFailureParameters
    death: Mapping[str, float]
    death_log_hazard: Mapping[str, float]
    signs: Mapping[str, Mapping[str, float]]
    wave_period: tuple[float, float]
    wave_swing: float
    wave_day_sd: float
    care: Mapping[str, float]
    habits: Habits

    def as_of(self, cut: date) -> Parameters:
        """Return the same parameters with another cut.

        Raises
        ------
        UsageError
            E110 where the cut is outside the simulated years.
        """
        check_cut(cut, self.start, self.end)
        return replace(self, cut=cut)

    def without_notes(self) -> Parameters:
        """Return the same parameters with no notes but hospital letters.

        A patient's codes are the same with and without notes, and simulated several times
        faster without.
        """
        return replace(self, care={**self.care, "note_written": 0.0})


def check_cut(cut: date, start: date, end: date) -> None:
    """Refuse a cut outside the simulated years.

    Raises
    ------
    UsageError
        E110 where it is.
    """
    if not start < cut <= end:
        raise UsageError(
            "E110",
            f"the cut {cut} is outside the simulated years: "
            f"choose a day after {start} and not after {end}",
        )


def load_parameters(path: Path | None = None) -> Parameters:
    """Read parameters from a TOML file, the shipped ones where ``path`` is ``None``.

    Raises
    ------
    UsageError
        E111 where the file cannot be read or lacks a value.
    """
    try:
        return (
            _shipped()
            if path is None
            else parse_parameters(tomllib.loads(path.read_text(encoding="utf-8")))
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "E111",
            f"the simulator's parameters cannot be used ({type(error).__name__}: {error}): "
            "start from a copy of clinical_nlp/simulation/parameters.toml",
        ) from error


@lru_cache(maxsize=1)
def _shipped() -> Parameters:
    return parse_parameters(shipped_numbers())


def shipped_numbers() -> dict[str, Any]:
    """Return ``parameters.toml`` as it is read: a copy of the caller's own."""
    return read_toml("clinical_nlp.simulation", "parameters.toml")


def parse_parameters(raw: Mapping[str, Any]) -> Parameters:
    """Return the parameters of a file's content."""
    population, waves, death = raw["population"], raw["waves"], dict(raw["death"])
    leaving = population["leaving"]
    conditions = dict(raw["conditions"])
    knots = conditions.pop("knots")
    return Parameters(
        **raw["timeline"],
        ages=tuple(population["ages"]),
        shares=tuple(population["shares"]),
        women=tuple(population["women"]),
        join_late=population["join_late"],
        leaving=tuple(zip(leaving["ages"], leaving["yearly"], strict=True)),
        leaving_known=leaving["known"],
        rural=population["rural"],
        regions=tuple(Region(name, **row) for name, row in population["regions"].items()),
        conditions=tuple(
            ConditionParameters(name, **{**row, **_curves(knots, row["women"], row["men"])})
            for name, row in conditions.items()
        ),
        heart_failure=_heart_failure(dict(raw["heart_failure"])),
        death_log_hazard=death.pop("log_hazard"),
        death=death,
        signs=raw["signs"],
        wave_period=tuple(waves["period_days"]),
        wave_swing=waves["swing"],
        wave_day_sd=waves["day_sd"],
        care=raw["care"],
        habits=parse_habits(raw),
    )


def _curves(knots: list[float], women: list[float], men: list[float]) -> dict[str, Curve]:
    return {"women": Curve.from_percent(knots, women), "men": Curve.from_percent(knots, men)}


def _heart_failure(row: dict[str, Any]) -> HeartFailureParameters:
    prevalence = [row.pop(f"prevalence_{part}") for part in ("knots", "women", "men")]
    return HeartFailureParameters(**{**row, **_curves(*prevalence)})
