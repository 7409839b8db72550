"""Brings structured measurements to the catalogue's units (``units.toml``)."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

_ANNOTATION = re.compile(r"\{[^}]*\}")


def to_unit(value: float, unit: str | None, target: str, concept: str) -> float | None:
    """Return a value in the catalogue's unit.

    Parameters
    ----------
    value
        As exported.
    unit
        As exported: a UCUM code or a spelling in use; ``None`` is taken as ``target``,
        because laboratories that leave the unit out use the usual one. Values out of
        the concept's plausible range are dropped later.
    target
        UCUM unit of the concept.
    concept
        Key of the concept: a molar unit converts by the substance.

    Returns
    -------
    float or None
        ``None`` where the unit is unknown: a guess could be wrong a hundredfold.
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


def _spelling(unit: str) -> str:
    bare = _ANNOTATION.sub("", unit).replace(" ", "").casefold().rstrip("/")
    return bare or unit.replace(" ", "").casefold()


@cache
def _data() -> dict[str, Any]:
    text = resources.files("clinical_nlp.risk").joinpath("units.toml").read_text("utf-8")
    return tomllib.loads(text)


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
