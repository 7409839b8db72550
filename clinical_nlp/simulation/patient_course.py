"""A simulated patient's hidden course: who the patient is, the conditions, and how it ends.

Days are proleptic ordinals (``date.toordinal``) throughout the simulation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from clinical_nlp.records import Sex
from clinical_nlp.simulation.conditions import draw_onsets, draw_smoking
from clinical_nlp.simulation.parameters import YEAR, Parameters
from clinical_nlp.simulation.rng import pick_weighted, poisson, random_logit

#: Days after the end up to which diagnoses are drawn: their signs show before it.
DAYS_AFTER_END = 730


@dataclass(frozen=True, slots=True)
class HeartFailureCourse:
    """One patient's heart failure.

    Parameters
    ----------
    onset
        Day of the first sign.
    diagnosis
        Day of the diagnosis; may lie after the end of the simulation.
    preserved
        Ejection fraction preserved.
    acute
        First diagnosed in hospital or emergency care.
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
class PatientCourse:
    """The hidden state of one patient.

    Parameters
    ----------
    birth, joined, death
        Day of birth, first day in the record, and day of death.
    left
        Day of moving away, after which the record holds nothing, not even a death; the end
        of the simulation for a patient who stays.
    leaving_known
        Whether the record is then marked as no longer active.
    other_language, other_language_share
        Second language of the notes, and the share of notes written in it.
    care_seeking
        Factor of the contact rate, 1 on average.
    heart_failure
        ``None`` where it never comes.
    onsets
        Day each long-term condition began; only those onset before the end.
    waves
        Period in days and phase in radians by which the effect of each cause rises and falls.
    baselines
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
    care_seeking: float
    heart_failure: HeartFailureCourse | None
    onsets: Mapping[str, int] = field(default_factory=dict)
    waves: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    baselines: Mapping[str, float] = field(default_factory=dict)

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
        """Whether a long-term condition has onset by ``day``."""
        onset = self.onsets.get(condition)
        return onset is not None and onset <= day

    def congestion(self, day: int) -> float:
        """Return the severity of heart failure on ``day``, 0 without."""
        return self.heart_failure.severity(day) if self.heart_failure else 0.0

    def diagnosed(self, day: int) -> bool:
        """Whether heart failure has been diagnosed by ``day``."""
        return self.heart_failure is not None and self.heart_failure.diagnosis <= day


def simulate_course(rng: Random, p: Parameters) -> PatientCourse:
    """Draw one patient's course; the order of the draws is part of the result."""
    start, end = p.start.toordinal(), p.end.toordinal()
    band = pick_weighted(rng, list(enumerate(p.shares)))
    width = 5.0 if band < len(p.ages) - 1 else 7.0
    age = p.ages[band] + rng.random() * width
    female = rng.random() < p.women[band]
    birth = int(start - age * YEAR)
    region = pick_weighted(rng, [(region, region.share) for region in p.regions])
    smoking = draw_smoking(rng, female, age)
    onsets = draw_onsets(rng, p, birth, female, smoking, end)
    heart_failure, frailty = _heart_failure(rng, p, birth, female, smoking, onsets)
    death = _death(rng, p, birth, female, onsets, heart_failure)
    joined = start
    if rng.random() < p.join_late:
        joined = start + int(rng.random() * (end - start) * 0.5)
    return PatientCourse(
        sex=Sex.FEMALE if female else Sex.MALE,
        birth=birth,
        joined=joined,
        left=_leaving(rng, p, birth, joined, end),
        leaving_known=rng.random() < p.leaving_known,
        death=death if death is not None and death > joined else None,
        region=region.name,
        other_language=region.language,
        other_language_share=region.notes,
        rural=(rural := rng.random() < p.rural),
        smoking=smoking,
        care_seeking=_care_seeking(rng, p, frailty, rural, _burden(onsets, start)),
        heart_failure=heart_failure,
        onsets=onsets,
        waves={
            cause: (rng.uniform(*p.wave_period), rng.uniform(0, 2 * math.pi)) for cause in p.signs
        },
        baselines=_baselines(rng, female, age, onsets),
    )


def _heart_failure(
    rng: Random, p: Parameters, birth: int, female: bool, smoking: str, onsets: Mapping[str, int]
) -> tuple[HeartFailureCourse | None, float]:
    """Draw heart failure from its hazard (times in days), ``None`` where it never comes.

    The second value is the frailty that no record shows, of mean 0.
    """
    hf, start, end = p.heart_failure, p.start.toordinal(), p.end.toordinal()
    frailty = rng.gauss(0.0, hf.frailty_sd)
    threshold = -math.log(1.0 - rng.random())
    fixed = frailty + (0.0 if female else hf.male)
    fixed += hf.log_hazard["smoker"] if smoking == "current" else 0.0
    diagnosis: int | None = None
    # Already ill on the first day: the risk factors raise the odds about their own mean.
    risk = sum(hf.log_hazard.get(name, 0.0) for name, onset in onsets.items() if onset <= start)
    curve = hf.women if female else hf.men
    odds = curve.at((start - birth) / YEAR) + 0.8 * (risk - 0.9) + frailty
    if random_logit(rng) < odds:
        diagnosis = start - int(30 + rng.expovariate(1 / 1400))
    else:
        total = 0.0
        for month in range(start, end + DAYS_AFTER_END, 30):
            age = min((month - birth) / YEAR, hf.level_from)
            rate = fixed + hf.per_decade * (age - 65) / 10
            for name, onset in onsets.items():
                if onset <= month:
                    rate += hf.log_hazard.get(name, 0.0)
            step = hf.base * math.exp(rate) * 30 / YEAR
            if total + step >= threshold:
                diagnosis = month + int(30 * (threshold - total) / step)
                break
            total += step
    preserved = rng.random() < (hf.preserved if female else hf.preserved - 0.08)
    silent, delay = rng.random() < hf.silent, rng.gauss(0.0, hf.delay_sigma)
    acute, coded, lag = rng.random(), rng.random(), rng.expovariate(1 / hf.code_lag)
    if diagnosis is None:
        return None, frailty
    days = 5 + 25 * coded if silent else min(hf.delay_median * math.exp(delay), hf.delay_max)
    course = HeartFailureCourse(
        onset=diagnosis - int(days),
        diagnosis=diagnosis,
        preserved=preserved,
        acute=silent or acute > hf.diagnosed_in_primary_care,
        coded=diagnosis + int(lag) if coded < hf.coded else None,
    )
    return course, frailty


def _care_seeking(rng: Random, p: Parameters, frailty: float, rural: bool, burden: int) -> float:
    """Draw the factor of the contact rate: luck, and in some services who the patient is."""
    level = rng.gauss(0.0, p.care["seeking_sd"]) + p.care["seeking_frailty"] * frailty
    level += p.care["seeking_rural"] * (rural - p.rural)
    return math.exp(level + p.care["seeking_burden"] * (min(burden, 8) - 3))


def _burden(onsets: Mapping[str, int], day: int) -> int:
    return sum(onset <= day for onset in onsets.values())


def _death(
    rng: Random,
    p: Parameters,
    birth: int,
    female: bool,
    onsets: Mapping[str, int],
    heart_failure: HeartFailureCourse | None,
) -> int | None:
    """Draw the day of death from its hazard, in steps of 30 days."""
    threshold, total = -math.log(1.0 - rng.random()), 0.0
    base = p.death["at_65_women" if female else "at_65_men"]
    for month in range(p.start.toordinal(), p.end.toordinal(), 30):
        rate = p.death["per_decade"] * ((month - birth) / YEAR - 65) / 10
        for name, weight in p.death_log_hazard.items():
            onset = onsets.get(name)
            if onset is not None and onset <= month:
                rate += weight
        if heart_failure is not None and heart_failure.diagnosis <= month:
            rate += p.death_log_hazard["heart_failure"]
        total += base * math.exp(rate) * 30 / YEAR
        if total >= threshold:
            return month + int(rng.random() * 30)
    return None


def _leaving(rng: Random, p: Parameters, birth: int, joined: int, end: int) -> int:
    """Draw the day of moving away, independent of health; ``end`` for a patient who stays.

    One number of ``rng`` is used, so that a patient under other chances of leaving is the
    same up to that day.
    """
    rng = Random(rng.random())
    for month in range(joined, end, 30):
        age = (month - birth) / YEAR
        yearly = next((rate for start, rate in reversed(p.leaving) if age >= start), 0.0)
        if rng.random() < yearly * 30 / YEAR:
            return month + int(rng.random() * min(30, end - month))
    return end


def _baselines(
    rng: Random, female: bool, age: float, onsets: Mapping[str, int]
) -> dict[str, float]:
    height = rng.gauss(159 if female else 172, 6.2) - max(0.0, age - 60) * 0.12
    bmi = rng.gauss(33.2, 2.8) if "obesity" in onsets else min(29.8, rng.gauss(25.9, 2.5))
    hypertensive, fibrillating = "hypertension" in onsets, "atrial_fibrillation" in onsets
    chronic = "chronic_kidney_disease" in onsets
    egfr = rng.gauss(47, 9) if chronic else min(118.0, rng.gauss(98 - 0.75 * (age - 40), 10))
    return {
        "height": round(height),
        "weight": max(17.5, bmi) * (height / 100) ** 2,
        "sbp": rng.gauss(137 if hypertensive else 122, 8) + 0.15 * (age - 60),
        "dbp": rng.gauss(79 if hypertensive else 75, 6) - 0.2 * (age - 60),
        "hr": rng.gauss(82 if fibrillating else 73, 7) + (2 if poisson(rng, 0.3) else 0),
        "egfr": min(max(egfr, 14.0), 59.0 if chronic else 118.0),
        "hb": rng.gauss((10.9 if female else 11.6) if "anemia" in onsets else 13.6, 0.7)
        + (0.0 if female or "anemia" in onsets else 1.2),
    }
