"""A simulated life: who the patient is and what happens to the body, unseen by the record.

Days are proleptic ordinals (``date.toordinal``) throughout the simulation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from clinical_nlp.records import Sex
from clinical_nlp.simulation.illnesses import illnesses, smoking
from clinical_nlp.simulation.parameters import YEAR, Parameters
from clinical_nlp.simulation.rng import logit, poisson

#: Heart failure that would be diagnosed up to two years after the end casts its signs before.
BEYOND = 730


@dataclass(frozen=True, slots=True)
class Course:
    """How one heart failure came about.

    Parameters
    ----------
    onset
        Day of the first sign.
    diagnosis
        Day on which a clinician names it; may lie after the end of the simulation.
    preserved
        Ejection fraction preserved.
    acute
        First named in hospital or emergency care.
    coded
        Day it reaches the problem list; ``None`` where it never does.
    """

    onset: int
    diagnosis: int
    preserved: bool
    acute: bool
    coded: int | None

    def severity(self, day: int) -> float:
        """Return congestion on ``day``: 0 before onset, 1 at diagnosis, 0.35 once treated."""
        if day <= self.onset:
            return 0.0
        if day > self.diagnosis:
            return max(0.35, 1.0 - (day - self.diagnosis) / 60)
        return float(((day - self.onset) / max(1, self.diagnosis - self.onset)) ** 1.2)


@dataclass(frozen=True, slots=True)
class Life:
    """The hidden state of one patient; see the module.

    Parameters
    ----------
    ill
        Day each long-term condition began, in days; only those begun before the end.
    waves
        Period in days and phase in radians of each cause's waxing and waning.
    left
        Day of moving away, after which the record holds nothing, not even a death; the end
        of the simulation for who stays.
    leaving_known
        Whether the register hears of it.
    body
        Usual values: ``sbp``, ``dbp``, ``weight`` (kg), ``height`` (cm), ``hr``, ``egfr``, ``hb``.
    """

    sex: Sex
    birth: int
    joined: int
    left: int
    leaving_known: bool
    death: int | None
    region: str
    other_language: str
    other_language_share: float
    rural: bool
    smoking: str
    seeking: float
    course: Course | None
    ill: Mapping[str, int] = field(default_factory=dict)
    waves: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    body: Mapping[str, float] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """Day up to which the record can hold anything."""
        return self.left if self.death is None else min(self.left, self.death)

    @property
    def female(self) -> bool:
        """Whether the patient is a woman."""
        return self.sex is Sex.FEMALE

    def age(self, day: int) -> float:
        """Return the age in years on ``day``."""
        return (day - self.birth) / YEAR

    def has(self, condition: str, day: int) -> bool:
        """Whether a long-term condition has begun by ``day``."""
        begun = self.ill.get(condition)
        return begun is not None and begun <= day

    def diagnosed(self, day: int) -> bool:
        """Whether heart failure has been named by ``day``."""
        return self.course is not None and self.course.diagnosis <= day


def live(dice: Random, parameters: Parameters) -> Life:
    """Draw one life."""
    p = parameters
    start, end = p.start.toordinal(), p.end.toordinal()
    band = _band(dice, p.shares)
    width = 5.0 if band < len(p.ages) - 1 else 7.0
    age = p.ages[band] + dice.random() * width
    female = dice.random() < p.women[band]
    birth = int(start - age * YEAR)
    region = p.regions[_band(dice, tuple(r.share for r in p.regions))]
    habit = smoking(dice, female, age)
    ill = illnesses(dice, p, birth, female, habit, end)
    course = _heart_failure(dice, p, birth, female, habit, ill)
    death = _death(dice, p, birth, female, ill, course)
    joined = start
    if dice.random() < p.join_late:
        joined = start + int(dice.random() * (end - start) * 0.5)
    return Life(
        sex=Sex.FEMALE if female else Sex.MALE,
        birth=birth,
        joined=joined,
        left=_leaving(dice, p, birth, joined, end),
        leaving_known=dice.random() < p.leaving_known,
        death=death if death is not None and death > joined else None,
        region=region.name,
        other_language=region.language,
        other_language_share=region.notes,
        rural=dice.random() < p.rural,
        smoking=habit,
        seeking=math.exp(dice.gauss(0.0, p.care["seeking_sd"])),
        course=course,
        ill=ill,
        waves={
            cause: (dice.uniform(*p.wave_period), dice.uniform(0, 2 * math.pi)) for cause in p.signs
        },
        body=_body(dice, female, age, ill, start),
    )


def _band(dice: Random, shares: tuple[float, ...]) -> int:
    mark = dice.random() * sum(shares)
    for i, share in enumerate(shares):
        mark -= share
        if mark < 0:
            return i
    return len(shares) - 1


def _heart_failure(
    dice: Random, p: Parameters, birth: int, female: bool, habit: str, ill: Mapping[str, int]
) -> Course | None:
    hf, start, end = p.heart_failure, p.start.toordinal(), p.end.toordinal()
    frailty = dice.gauss(0.0, hf.frailty_sd)
    threshold = -math.log(1.0 - dice.random())
    fixed = frailty + (0.0 if female else hf.male)
    fixed += hf.log_hazard["smoker"] if habit == "current" else 0.0
    diagnosis: int | None = None
    # Already ill on the first day: the risk factors raise the odds about their own mean.
    risk = sum(hf.log_hazard.get(name, 0.0) for name, begun in ill.items() if begun <= start)
    curve = hf.women if female else hf.men
    odds = curve.at((start - birth) / YEAR) + 0.8 * (risk - 0.9) + frailty
    if logit(min(max(dice.random(), 1e-9), 1 - 1e-9)) < odds:
        diagnosis = start - int(30 + dice.expovariate(1 / 1400))
    else:
        total = 0.0
        for month in range(start, end + BEYOND, 30):
            age = min((month - birth) / YEAR, hf.level_from)
            rate = fixed + hf.per_decade * (age - 65) / 10
            for name, begun in ill.items():
                if begun <= month:
                    rate += hf.log_hazard.get(name, 0.0)
            step = hf.base * math.exp(rate) * 30 / YEAR
            if total + step >= threshold:
                diagnosis = month + int(30 * (threshold - total) / step)
                break
            total += step
    preserved = dice.random() < (hf.preserved if female else hf.preserved - 0.08)
    silent, delay = dice.random() < hf.silent, dice.gauss(0.0, hf.delay_sigma)
    acute, coded, lag = dice.random(), dice.random(), dice.expovariate(1 / hf.code_lag)
    if diagnosis is None:
        return None
    days = 5 + 25 * coded if silent else min(hf.delay_median * math.exp(delay), hf.delay_max)
    return Course(
        onset=diagnosis - int(days),
        diagnosis=diagnosis,
        preserved=preserved,
        acute=silent or acute > hf.diagnosed_in_primary_care,
        coded=diagnosis + int(lag) if coded < hf.coded else None,
    )


def _death(
    dice: Random,
    p: Parameters,
    birth: int,
    female: bool,
    ill: Mapping[str, int],
    course: Course | None,
) -> int | None:
    threshold, total = -math.log(1.0 - dice.random()), 0.0
    base = p.death["at_65_women" if female else "at_65_men"]
    for month in range(p.start.toordinal(), p.end.toordinal(), 30):
        rate = p.death["per_decade"] * ((month - birth) / YEAR - 65) / 10
        for name, weight in p.death_log_hazard.items():
            begun = ill.get(name)
            if begun is not None and begun <= month:
                rate += weight
        if course is not None and course.diagnosis <= month:
            rate += p.death_log_hazard["heart_failure"]
        total += base * math.exp(rate) * 30 / YEAR
        if total >= threshold:
            return month + int(dice.random() * 30)
    return None


def _leaving(dice: Random, p: Parameters, birth: int, joined: int, end: int) -> int:
    """Day of moving away, whatever the health; ``end`` for who stays.

    One number of ``dice`` is used, so that a life with other chances of leaving is the same
    up to that day.
    """
    dice = Random(dice.random())
    for month in range(joined, end, 30):
        age = (month - birth) / YEAR
        yearly = next((rate for start, rate in reversed(p.leaving) if age >= start), 0.0)
        if dice.random() < yearly * 30 / YEAR:
            return month + int(dice.random() * min(30, end - month))
    return end


def _body(
    dice: Random, female: bool, age: float, ill: Mapping[str, int], start: int
) -> dict[str, float]:
    height = dice.gauss(159 if female else 172, 6.2) - max(0.0, age - 60) * 0.12
    bmi = dice.gauss(33.2, 2.8) if "obesity" in ill else min(29.8, dice.gauss(25.9, 2.5))
    hypertensive, fibrillating = "hypertension" in ill, "atrial_fibrillation" in ill
    chronic = "chronic_kidney_disease" in ill
    egfr = dice.gauss(47, 9) if chronic else min(118.0, dice.gauss(98 - 0.75 * (age - 40), 10))
    return {
        "height": round(height),
        "weight": max(17.5, bmi) * (height / 100) ** 2,
        "sbp": dice.gauss(137 if hypertensive else 122, 8) + 0.15 * (age - 60),
        "dbp": dice.gauss(79 if hypertensive else 75, 6) - 0.2 * (age - 60),
        "hr": dice.gauss(82 if fibrillating else 73, 7) + (2 if poisson(dice, 0.3) else 0),
        "egfr": min(max(egfr, 14.0), 59.0 if chronic else 118.0),
        "hb": dice.gauss((10.9 if female else 11.6) if "anemia" in ill else 13.6, 0.7)
        + (0.0 if female or "anemia" in ill else 1.2),
    }
