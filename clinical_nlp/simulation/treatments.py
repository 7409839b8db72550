"""What the patient is prescribed, from when to when."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from random import Random

from clinical_nlp.simulation.parameters import YEAR
from clinical_nlp.simulation.patient_course import Life
from clinical_nlp.simulation.rng import Weighted, pick

#: Chance a year that a drug is stopped for good (assumption: one in seven).
STOPPING = 0.14
#: Chance that a loop diuretic is tried in the months of signs before the diagnosis is made.
TRIED_BEFORE = 0.22


@dataclass(frozen=True, slots=True)
class Drug:
    """One row of ``drugs.toml``."""

    key: str
    atc: str
    names: tuple[str, ...]
    doses: tuple[str, ...]
    regimens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prescription:
    """A drug with its dose, from ``start`` until ``stop`` (``None``: goes on)."""

    drug: Drug
    dose: str
    regimen: str
    start: int
    stop: int | None

    def on(self, day: int) -> bool:
        """Whether it is taken on ``day``."""
        return self.start <= day and (self.stop is None or day < self.stop)


@dataclass(frozen=True, slots=True)
class _Line:
    needs: str
    chance: float
    choices: Weighted
    lag: float


@lru_cache(maxsize=1)
def _catalogue() -> tuple[Mapping[str, Drug], tuple[_Line, ...]]:
    folder = files("clinical_nlp.simulation")
    raw = tomllib.loads(folder.joinpath("drugs.toml").read_text("utf-8"))
    drugs = {
        key: Drug(key, row["atc"], tuple(row["names"]), tuple(row["doses"]), tuple(row["regimens"]))
        for key, row in raw["drugs"].items()
    }
    lines = tuple(
        _Line(row["needs"], row["chance"], Weighted(list(row["choices"].items())), row["lag"])
        for row in raw["lines"]
    )
    return drugs, lines


def drug(key: str) -> Drug:
    """Return a drug by its key."""
    return _catalogue()[0][key]


def prescribe(dice: Random, life: Life) -> list[Prescription]:
    """Draw every prescription of a life, in order of start."""
    begins = dict(life.ill)
    if life.course is not None:
        begins["heart_failure"] = life.course.diagnosis
        if not life.course.preserved:
            begins["reduced_ejection_fraction"] = life.course.diagnosis
    drugs, lines = _catalogue()
    taken: dict[str, Prescription] = {}
    for line in lines:
        begun = begins.get(line.needs)
        if begun is None or dice.random() > line.chance:
            continue
        key = line.choices.draw(dice)
        start = begun + int(dice.expovariate(1 / line.lag))
        stop = start + int(dice.expovariate(STOPPING) * YEAR)
        known = taken.get(key)
        if start >= life.left or (known is not None and known.start <= start):
            continue
        taken[key] = _written(dice, drugs[key], start, stop if stop < life.left else None)
    course = life.course
    if course is not None and "furosemide" in taken and dice.random() < TRIED_BEFORE:
        early = course.diagnosis - int((course.diagnosis - course.onset) * 0.4 * dice.random())
        if early < taken["furosemide"].start:
            taken["furosemide"] = _written(
                dice, drugs["furosemide"], early, taken["furosemide"].stop
            )
    return sorted(taken.values(), key=lambda p: (p.start, p.drug.key))


def _written(dice: Random, chosen: Drug, start: int, stop: int | None) -> Prescription:
    return Prescription(chosen, pick(dice, chosen.doses), pick(dice, chosen.regimens), start, stop)
