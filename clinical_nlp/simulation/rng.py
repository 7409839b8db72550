"""Random streams that a name decides, so that nothing depends on the order of work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import TypeVar

T = TypeVar("T")


def stream(*names: str | int) -> Random:
    """Return a generator seeded by ``names`` alone.

    ``Random`` hashes a string seed with SHA-512, so that the stream is the same on every
    machine, in every process and under every ``PYTHONHASHSEED``.
    """
    return Random("/".join(map(str, names)))


def pick(dice: Random, choices: Sequence[T]) -> T:
    """Return one of ``choices``, all equally likely (``Random.choice``, but faster)."""
    return choices[int(dice.random() * len(choices))]


def poisson(dice: Random, mean: float) -> int:
    """Return a Poisson count; ``mean`` is small here, so Knuth's method does."""
    limit, product, count = math.exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count


def logistic(x: float) -> float:
    """Return the probability whose logit is ``x``."""
    return 1.0 / (1.0 + math.exp(-x))


def logit(p: float) -> float:
    """Return the logit of a probability strictly between 0 and 1."""
    return math.log(p / (1.0 - p))


class Weighted:
    """A fixed weighted choice, prepared once.

    Parameters
    ----------
    weights
        Weight by outcome; need not add up to one.
    """

    def __init__(self, weights: Sequence[tuple[str, float]]) -> None:
        self._names = [name for name, _ in weights]
        self._sums = list(accumulate(weight for _, weight in weights))

    def draw(self, dice: Random) -> str:
        """Return an outcome."""
        mark = dice.random() * self._sums[-1]
        for name, upper in zip(self._names, self._sums, strict=True):
            if mark < upper:
                return name
        return self._names[-1]
