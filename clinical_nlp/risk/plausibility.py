"""Which values of a patient no body has, and which changes no body makes (``plausibility.toml``).

Works on one concept's values in order of time; :mod:`clinical_nlp.risk.timeline` applies it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from statistics import median
from typing import Any

from clinical_nlp.artifacts import read_toml

_DAYS_PER_MONTH = 30.44
_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Measured:
    """A value on a day, of a patient of ``age`` years (``None`` where not known)."""

    day: date
    value: float
    age: float | None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a value is doubtful.

    Parameters
    ----------
    kind
        ``"range"``, ``"change"`` or ``"derived"``.
    against
        The value that a change was measured from or to.
    """

    kind: str
    against: Measured | None = None


@cache
def plausibility() -> dict[str, Any]:
    """Return ``plausibility.toml`` as shipped with the package."""
    return read_toml("clinical_nlp.risk", "plausibility.toml")


@cache
def limited_concepts() -> frozenset[str]:
    """Concepts whose values have limits."""
    rules = plausibility()
    return frozenset(
        row["concept"] for kind in ("range", "change", "derived") for row in rules[kind]
    )


@cache
def sources_of(concept: str) -> tuple[str, ...]:
    """Concepts that a concept's values are computed from."""
    rows = (row for row in plausibility()["derived"] if row["concept"] == concept)
    return tuple(source for row in rows for source in row["of"])


def age_on(birth: date | None, day: date) -> float | None:
    """Age in years on a day; ``None`` without a birth date or before it."""
    return None if birth is None or day < birth else (day - birth).days / _DAYS_PER_YEAR


def doubtful(concept: str, values: Sequence[Measured]) -> dict[int, Cause]:
    """Return which values of one concept are doubtful, by their number.

    Parameters
    ----------
    values
        In order of time.

    Examples
    --------
    >>> weights = [Measured(date(2024, m, 1), kg, 60) for m, kg in ((1, 80), (2, 162), (3, 82))]
    >>> [number for number in doubtful("body_weight", weights)]
    [1]
    """
    causes = {n: Cause("range") for n, item in enumerate(values) if not _in_range(concept, item)}
    limit = _row("change", concept)
    if limit is not None:
        left = [n for n in range(len(values)) if n not in causes]
        grown = [n for n in left if _applies(limit, values[n])]
        causes.update(_jumps(limit, values, grown))
    return causes


def _jumps(
    limit: dict[str, Any], values: Sequence[Measured], numbers: list[int]
) -> dict[int, Cause]:
    """Values that jump, chosen by their distance from the median of the series.

    Each value is compared with the last that was kept, so the cost is linear.
    """
    scaled = {n: _scaled(limit, values[n].value) for n in numbers}
    distinct = {(values[n].day, scaled[n]) for n in numbers}
    # Of two values it is unknown which is wrong.
    middle = median(s for _, s in distinct) if len(distinct) > 2 else None
    causes: dict[int, Cause] = {}
    kept: list[int] = []
    for n in numbers:
        while kept and _too_far(limit, values, scaled, kept[-1], n):
            last = kept[-1]
            # How much farther the kept value is from the median; 0 where it is unknown.
            farther = 0.0
            if middle is not None:
                farther = round(abs(scaled[last] - middle) - abs(scaled[n] - middle), 9)
            if farther >= 0:
                causes[last] = Cause("change", values[n])
                kept.pop()
            if farther <= 0:
                causes[n] = Cause("change", values[last])
                break
        else:
            kept.append(n)
    if len(kept) < len(causes):  # a series that contradicts itself: believe none of it
        first = min(causes)
        causes.update({n: Cause("change", values[first]) for n in kept})
    return causes


def _too_far(
    limit: dict[str, Any], values: Sequence[Measured], scaled: dict[int, float], a: int, b: int
) -> bool:
    months = (values[b].day - values[a].day).days / _DAYS_PER_MONTH
    allowed = min(limit["most"], limit["base"] + limit["per_month"] * months)
    return abs(scaled[b] - scaled[a]) > float(allowed)


def _scaled(limit: dict[str, Any], value: float) -> float:
    return math.log(value) if limit["scale"] == "log" else value


def _in_range(concept: str, item: Measured) -> bool:
    row = _row("range", concept)
    if row is not None and _applies(row, item):
        return bool(row["low"] <= item.value <= row["high"])
    return item.value > 0  # nothing measured here is none or less


def _applies(row: dict[str, Any], item: Measured) -> bool:
    """Whether a rule's age is reached; it is where the age is not known."""
    return item.age is None or item.age >= row["from_age"]


@cache
def _row(kind: str, concept: str) -> dict[str, Any] | None:
    return next((row for row in plausibility()[kind] if row["concept"] == concept), None)
