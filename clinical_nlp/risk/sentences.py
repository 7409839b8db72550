"""Templates of the sentences that a clinician reads (``reasons.toml``), and the interval's."""

from __future__ import annotations

from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.spanish import interval_bounds_es, number_es


@cache
def templates() -> dict[str, Any]:
    """Return ``reasons.toml`` as shipped with the package."""
    return read_toml("clinical_nlp.risk", "reasons.toml")


def between_es(low: float, high: float) -> str:
    """Write the bounds of an interval (probabilities) as percentages, rounded outwards.

    Examples
    --------
    >>> between_es(0.0391, 0.0714), between_es(0.0002, 0.1204)
    ('entre 3,9 % y 7,2 %', 'entre menos de 0,1 % y 13 %')
    """
    words: str = templates()["interval"]["between"]
    lower, upper = interval_bounds_es(low, high)
    return words.format(low=lower, high=upper)


def uncertainty_es(interval: tuple[float, float] | None, level: float) -> str:
    """Return the sentence on an estimate's interval, or that there is none and why.

    Parameters
    ----------
    interval
        Bounds (0..1); ``None`` for a model without bootstrap members.
    level
        Of the interval (0..1).
    """
    words: dict[str, str] = templates()["interval"]
    if interval is None:
        return words["none"]
    return words["sentence"].format(level=number_es(100 * level, 0), between=between_es(*interval))
