"""Which long-term conditions a person gets, and when.

Each condition has a prevalence curve by age and sex. A person falls ill at the age at which
the curve reaches their own threshold, which gives a cohort the curve's prevalence and the
incidence that goes with it. Conditions that come together share latent traits.
"""

from __future__ import annotations

import math
from random import Random

from clinical_nlp.simulation.parameters import YEAR, ConditionParameters, Parameters
from clinical_nlp.simulation.rng import logit

#: What smoking adds to the trait of the lungs (assumption).
_LUNGS = {"never": -0.9, "former": 0.5, "current": 0.6}

#: Years from a condition's earliest age within which one that is there by its first knot began.
_SPREAD = 10.0


def smoking(dice: Random, female: bool, age: float) -> str:
    """Draw the habit: ``never``, ``former`` or ``current``."""
    ever, current = _smokers(female, age)
    if dice.random() > ever:
        return "never"
    return "current" if dice.random() < current else "former"


def _smokers(female: bool, age: float) -> tuple[float, float]:
    """Share who ever smoked, and of those who still do.

    Women over 65 in Spain seldom smoked (assumption).
    """
    ever = 0.70 if not female else (0.50 if age < 65 else 0.14)
    return ever, max(0.12, 0.75 - 0.0125 * (age - 40))


def illnesses(
    dice: Random, p: Parameters, birth: int, female: bool, habit: str, end: int
) -> dict[str, int]:
    """Draw the day each condition begins; those that begin after ``end`` are left out."""
    metabolic, lungs = dice.gauss(0, 1), dice.gauss(0, 1) + _LUNGS[habit]
    age = (p.start.toordinal() - birth) / YEAR
    mean, variance = _lungs_moments(female, age)
    ill: dict[str, int] = {}
    for condition in p.conditions:
        curve = condition.women if female else condition.men
        luck = logit(min(max(dice.random(), 1e-9), 1 - 1e-9))
        luck -= condition.metabolic * metabolic + condition.lungs * (lungs - mean)
        begun = curve.age_of(luck / _widening(condition, variance))
        # Where the curve is crossed below its first knot the exact age means little.
        begun = max(begun, condition.earliest + _SPREAD * dice.random())
        if birth + begun * YEAR < end:
            ill[condition.name] = int(birth + begun * YEAR)
    return ill


def _lungs_moments(female: bool, age: float) -> tuple[float, float]:
    """Mean and variance of the trait of the lungs, smoking included, at this sex and age."""
    ever, current = _smokers(female, age)
    shares = {"never": 1 - ever, "former": ever * (1 - current), "current": ever * current}
    mean = sum(share * _LUNGS[habit] for habit, share in shares.items())
    spread = sum(share * (_LUNGS[habit] - mean) ** 2 for habit, share in shares.items())
    return mean, 1 + spread


def _widening(condition: ConditionParameters, lungs_variance: float) -> float:
    """How much wider than a logistic the threshold is for the traits in it.

    Undivided, a trait would raise every prevalence under one half over its curve. The
    logistic-normal integral is near a logistic this much wider (Monahan & Stefanski, in
    Handbook of the Logistic Distribution, 1992; with one term, 16 * sqrt(3) / (15 * pi)).
    """
    variance = condition.metabolic**2 + condition.lungs**2 * lungs_variance
    return math.sqrt(1 + (16 * math.sqrt(3) / (15 * math.pi)) ** 2 * variance)
