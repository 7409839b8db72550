"""Who a simulated person is to the health service, and what is usual for them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from clinical_nlp.simulation.parameters import YEAR
from clinical_nlp.simulation.rng import pick_weighted
from clinical_nlp.simulation.stages.life import Life
from clinical_nlp.simulation.stages.parameters import StagesParameters


@dataclass(frozen=True, slots=True)
class Person:
    """One person's habits and usual values.

    Parameters
    ----------
    left
        Day of moving away; the end of the simulation for who stays.
    leaving_known
        Whether the record is then marked as no longer active.
    habit
        Factor of the contacts by habit, 1 on average.
    keeps_reviews, stoic, remote
        Comes to reviews; seldom tells of a complaint; lives far from the health centre.
    language, language_share
        Of the notes besides Spanish, and the share of them.
    doctor
        Number of the person's own clinician.
    system
        Code system of the centre, a key of ``codes.toml``.
    height, weight, sbp, hr
        In cm, kg, mmHg and beats a minute.
    """

    left: int
    leaving_known: bool
    habit: float
    keeps_reviews: bool
    stoic: bool
    remote: bool
    language: str
    language_share: float
    doctor: int
    system: str
    height: int
    weight: float
    sbp: float
    hr: float


def draw_person(rng: Random, life: Life, p: StagesParameters) -> Person:
    """Draw a person's habits; nothing of them depends on the heart."""
    population, care, start = p.population, p.care, p.start.toordinal()
    end = p.end.toordinal()
    left = start + int(rng.expovariate(population["leaves_yearly"]) * YEAR)
    languages = [((name, notes), share) for name, (share, notes) in p.languages.items()]
    language, notes = pick_weighted(rng, languages)
    age, obese = life.age(start), "obesity" in life.spells
    height = round(rng.gauss(158 if life.female else 171, 6) - max(0.0, age - 65) * 0.1)
    bmi = rng.gauss(33.5, 3.0) if obese else min(30.5, rng.gauss(26.2, 2.6))
    shape = care["habit_shape"]
    return Person(
        left=min(left, end),
        leaving_known=rng.random() < population["leaving_known"],
        habit=rng.gammavariate(shape, 1 / shape),
        keeps_reviews=rng.random() < care["keeps_reviews"],
        stoic=rng.random() < care["stoic"],
        remote=rng.random() < population["remote"],
        language=language,
        language_share=notes,
        doctor=int(rng.random() * 1_000_000),
        system=pick_weighted(rng, list(p.coding["systems"].items())),
        height=height,
        weight=max(18.0, bmi) * (height / 100) ** 2,
        sbp=rng.gauss(136 if "hypertension" in life.spells else 123, 9) + 0.12 * (age - 60),
        hr=rng.gauss(80 if "atrial_fibrillation" in life.spells else 72, 8),
    )
