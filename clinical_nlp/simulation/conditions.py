"""Which long-term conditions a patient gets, and when.

Each condition has a prevalence curve by age and sex. A patient falls ill at the age at which
the curve reaches their own threshold, which gives a cohort the curve's prevalence and the
incidence that goes with it. Conditions that come together share latent traits.
"""

from __future__ import annotations

import math
from random import Random

from clinical_nlp.simulation.parameters import YEAR, ConditionParameters, Parameters
from clinical_nlp.simulation.rng import random_logit

#: What smoking adds to the latent trait of the lungs, in logits (assumption).
_LUNG_EFFECT = {"never": -0.9, "former": 0.5, "current": 0.6}

#: Years after a condition's earliest age over which its onset is spread, where the curve is
#: crossed before its first knot.
_ONSET_SPREAD = 10.0


def draw_smoking(rng: Random, female: bool, age: float) -> str:
    """Draw the smoking status: ``never``, ``former`` or ``current``."""
    ever, current = _smoking_shares(female, age)
    if rng.random() > ever:
        return "never"
    return "current" if rng.random() < current else "former"


def _smoking_shares(female: bool, age: float) -> tuple[float, float]:
    """Return the share who ever smoked, and of those the share who still do.

    Women over 65 in Spain seldom smoked (assumption).
    """
    ever = 0.70 if not female else (0.50 if age < 65 else 0.14)
    return ever, max(0.12, 0.75 - 0.0125 * (age - 40))


def draw_onsets(
    rng: Random, p: Parameters, birth: int, female: bool, smoking: str, end: int
) -> dict[str, int]:
    """Draw the day each condition begins; those that begin after ``end`` are left out."""
    metabolic, lungs = rng.gauss(0, 1), rng.gauss(0, 1) + _LUNG_EFFECT[smoking]
    mean, variance = _lung_moments(female, (p.start.toordinal() - birth) / YEAR)
    onsets: dict[str, int] = {}
    for condition in p.conditions:
        curve = condition.women if female else condition.men
        threshold = random_logit(rng)
        threshold -= condition.metabolic * metabolic + condition.lungs * (lungs - mean)
        onset = curve.age_of(threshold / _threshold_scale(condition, variance))
        # Where the curve is crossed below its first knot the exact age means little.
        onset = max(onset, condition.earliest + _ONSET_SPREAD * rng.random())
        if birth + onset * YEAR < end:
            onsets[condition.name] = int(birth + onset * YEAR)
    return onsets


def _lung_moments(female: bool, age: float) -> tuple[float, float]:
    """Return mean and variance of the lung trait, smoking included, at this sex and age."""
    ever, current = _smoking_shares(female, age)
    shares = {"never": 1 - ever, "former": ever * (1 - current), "current": ever * current}
    mean = sum(share * _LUNG_EFFECT[status] for status, share in shares.items())
    spread = sum(share * (_LUNG_EFFECT[status] - mean) ** 2 for status, share in shares.items())
    return mean, 1 + spread


def _threshold_scale(condition: ConditionParameters, lung_variance: float) -> float:
    """Return how much wider than a logistic the threshold is, given the traits in it.

    Undivided, a trait would raise every prevalence under one half over its curve. The
    logistic-normal integral is near a logistic this much wider (Monahan & Stefanski, in
    Handbook of the Logistic Distribution, 1992; with one term, 16 * sqrt(3) / (15 * pi)).
    """
    variance = condition.metabolic**2 + condition.lungs**2 * lung_variance
    return math.sqrt(1 + (16 * math.sqrt(3) / (15 * math.pi)) ** 2 * variance)
