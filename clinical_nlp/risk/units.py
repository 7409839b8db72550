"""Converts structured measurements to the catalogue's units (``units.toml``)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml

_ANNOTATION = re.compile(r"\{[^}]*\}")


def to_unit(value: float, unit: str | None, target: str, concept: str) -> float | None:
    """Convert a value to the catalogue's unit.

    Parameters
    ----------
    value
        As exported.
    unit
        As exported: a UCUM code or another spelling. ``None`` counts as ``target``:
        laboratories that omit the unit use the usual one, and implausible values are
        dropped later.
    target
        UCUM unit of the concept.
    concept
        Key of the concept: molar units convert by substance.

    Returns
    -------
    float or None
        ``None`` for an unknown unit: a guess may be wrong by orders of magnitude.
    """
    if unit is None or _spelling(unit) == _spelling(target):
        return value
    conversion = _conversions().get((concept, _spelling(unit), _spelling(target)))
    if conversion is not None:
        factor, offset = conversion
        return value * factor + offset
    classes = _classes()
    same = classes.get(_spelling(unit))
    return value if same is not None and same == classes.get(_spelling(target)) else None


@cache
def plausible_limits(concept: str) -> tuple[float, float]:
    """Return the limits, in the catalogue's unit, that the notes' values of a concept keep.

    Without limits for a concept nothing is implausible.
    """
    rules = read_toml("clinical_nlp.pipeline.measurements", "measurements.toml")["concepts"]
    limits = rules.get(concept, {})
    return float(limits.get("low", "-inf")), float(limits.get("high", "inf"))


def _spelling(unit: str) -> str:
    bare = _ANNOTATION.sub("", unit).replace(" ", "").casefold().rstrip("/")
    return bare or unit.replace(" ", "").casefold()


@cache
def _data() -> dict[str, Any]:
    return read_toml("clinical_nlp.risk", "units.toml")


@cache
def _classes() -> dict[str, int]:
    groups = _data()["same"]
    return {_spelling(name): number for number, group in enumerate(groups) for name in group}


@cache
def _conversions() -> dict[tuple[str, str, str], tuple[float, float]]:
    table: dict[tuple[str, str, str], tuple[float, float]] = {}
    for row in _data()["convert"]:
        for source in row["from"]:
            key = (row["concept"], _spelling(source), _spelling(row["to"]))
            table[key] = (float(row["factor"]), float(row.get("offset", 0.0)))
    return table
