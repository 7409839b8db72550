"""What the patient is prescribed, from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from clinical_nlp.artifacts import read_toml
from clinical_nlp.simulation.parameters import YEAR, Parameters
from clinical_nlp.simulation.patient_course import PatientCourse
from clinical_nlp.simulation.rng import pick, pick_weighted


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
    """A drug with its dose, from ``start`` until ``stop`` (``None``: never stopped)."""

    drug: Drug
    dose: str
    regimen: str
    start: int
    stop: int | None

    def active_on(self, day: int) -> bool:
        """Whether the drug is taken on ``day``."""
        return self.start <= day and (self.stop is None or day < self.stop)


@dataclass(frozen=True, slots=True)
class _TreatmentRule:
    """One row of ``[[lines]]``: what a condition is treated with, how often and how soon."""

    needs: str
    chance: float
    choices: tuple[tuple[str, float], ...]
    lag: float


@lru_cache(maxsize=1)
def _catalogue() -> tuple[Mapping[str, Drug], tuple[_TreatmentRule, ...]]:
    raw = read_toml("clinical_nlp.simulation", "drugs.toml")
    drugs = {
        key: Drug(key, row["atc"], tuple(row["names"]), tuple(row["doses"]), tuple(row["regimens"]))
        for key, row in raw["drugs"].items()
    }
    rules = tuple(
        _TreatmentRule(row["needs"], row["chance"], tuple(row["choices"].items()), row["lag"])
        for row in raw["lines"]
    )
    return drugs, rules


def prescribe(rng: Random, patient: PatientCourse, p: Parameters) -> list[Prescription]:
    """Draw every prescription of a patient, in order of start."""
    onsets, failure = dict(patient.onsets), patient.heart_failure
    if failure is not None:
        onsets["heart_failure"] = failure.diagnosis
        if not failure.preserved:
            onsets["reduced_ejection_fraction"] = failure.diagnosis
    drugs, rules = _catalogue()
    care, preferred = p.care, p.habits.drugs
    drawn: dict[str, Prescription] = {}
    for rule in rules:
        onset = onsets.get(rule.needs)
        if onset is None or rng.random() > rule.chance * care["treated"]:
            continue
        choices = [(key, weight * preferred.get(key, 1.0)) for key, weight in rule.choices]
        key = pick_weighted(rng, choices)
        start = onset + int(rng.expovariate(1 / rule.lag))
        stop = start + int(rng.expovariate(care["stop_rate"]) * YEAR)
        known = drawn.get(key)
        if start >= patient.left or (known is not None and known.start <= start):
            continue
        drawn[key] = _prescription(rng, drugs[key], start, stop if stop < patient.left else None)
    loop = drawn.get("furosemide")
    if failure is not None and loop is not None and rng.random() < care["early_diuretic"]:
        early = failure.diagnosis - int((failure.diagnosis - failure.onset) * 0.4 * rng.random())
        if early < loop.start:
            drawn["furosemide"] = _prescription(rng, loop.drug, early, loop.stop)
    return sorted(drawn.values(), key=lambda rx: (rx.start, rx.drug.key))


def _prescription(rng: Random, drug: Drug, start: int, stop: int | None) -> Prescription:
    return Prescription(drug, pick(rng, drug.doses), pick(rng, drug.regimens), start, stop)
