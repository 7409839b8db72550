"""Random streams and draws, reproducible and independent of the order of work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def stream(*names: str | int) -> Random:
    """Return a generator seeded by ``names`` alone.

    ``Random`` hashes a string seed with SHA-512, so that the stream is the same on every
    machine, in every process and under every ``PYTHONHASHSEED``.
    """
    return Random("/".join(map(str, names)))


def pick(rng: Random, choices: Sequence[T]) -> T:
    """Return one of ``choices``, all equally likely (``Random.choice``, but faster)."""
    return choices[int(rng.random() * len(choices))]


def pick_weighted(rng: Random, weighted: Sequence[tuple[T, float]]) -> T:
    """Return one of the values of ``(value, weight)`` pairs; weights need not add up to 1."""
    mark = rng.random() * sum(weight for _, weight in weighted)
    for value, weight in weighted:
        mark -= weight
        if mark < 0:
            return value
    return weighted[-1][0]  # rounding left a remainder


def poisson(rng: Random, mean: float) -> int:
    """Return a Poisson count; ``mean`` is small here, so Knuth's method does."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def logit(p: float) -> float:
    """Return the logit of a probability strictly between 0 and 1."""
    return math.log(p / (1.0 - p))


def random_logit(rng: Random) -> float:
    """Draw from the standard logistic distribution, its extreme tails cut off."""
    return logit(min(max(rng.random(), 1e-9), 1 - 1e-9))
