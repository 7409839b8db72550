"""Health services drawn at random: other habits of care, coding and writing, other incidence.

A model trained in one service must not rely on the habits of that service. A
:class:`Service` is a random point in the ranges of ``services.toml``; its parameters go
where the shipped ones go.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.simulation.parameters import Parameters, parse_parameters, shipped_numbers
from clinical_nlp.simulation.rng import stream


@dataclass(frozen=True, slots=True)
class Service:
    """One health service.

    Parameters
    ----------
    name
        Also the name of its staff, whose styles and wordings are their own.
    numbers
        Values that differ from ``parameters.toml``, by their dotted path there.
    """

    name: str
    numbers: Mapping[str, object] = field(default_factory=dict)

    def parameters(self) -> Parameters:
        """Return the parameters of its patients, for ``simulate_patient`` and the like."""
        return parse_parameters(apply_numbers(shipped_numbers(), self.numbers))


@dataclass(frozen=True, slots=True)
class _Draw:
    """One ``[[draw]]`` of ``services.toml``."""

    name: str
    paths: tuple[str, ...]
    kind: str
    low: float
    high: float
    each: float
    power: float

    def change(self, number: float, mark: float, luck: float) -> float:
        """Return ``number`` in a service that drew ``mark`` (0 to 1); ``luck`` is a factor."""
        mark = mark**self.power
        if self.kind == "value":
            return (self.low + mark * (self.high - self.low)) * luck
        factor = luck * math.exp(
            math.log(self.low) + mark * (math.log(self.high) - math.log(self.low))
        )
        if self.kind == "factor":
            return number * factor
        return number * factor / (1 - number + number * factor)


def draw_service(seed: int) -> Service:
    """Return the service of a seed: the same on every machine."""
    name = f"service-{seed}"
    numbers = draw_numbers(name, shipped_numbers(), "clinical_nlp.simulation")
    return Service(name, {"writing.staff": name, **numbers})


def draw_numbers(name: str, raw: Mapping[str, Any], package: str) -> dict[str, object]:
    """Return what differs in one service from the shipped numbers.

    Every draw has a random stream of its own, so that a new one leaves the others as they were.

    Parameters
    ----------
    name
        Of the service.
    raw
        The shipped numbers, as their file has them.
    package
        Whose ``services.toml`` says what is drawn.
    """
    numbers: dict[str, object] = {}
    for draw in _draws(package):
        mark = stream(name, draw.name).random()
        for path in sorted(path for pattern in draw.paths for path in _matching(raw, pattern)):
            table, key = _entry(raw, path)
            numbers[path] = _changed(table[key], draw, mark, stream(name, draw.name, path))
    return numbers


def apply_numbers(raw: dict[str, Any], numbers: Mapping[str, object]) -> dict[str, Any]:
    """Set numbers by their dotted paths; returns ``raw``."""
    for path, value in numbers.items():
        table, key = _entry(raw, path)
        table[key] = value
    return raw


def _changed(
    value: float | list[float], draw: _Draw, mark: float, rng: Random
) -> float | list[float]:
    def luck() -> float:
        return math.exp(rng.gauss(0.0, draw.each)) if draw.each else 1.0

    if not isinstance(value, list):
        return draw.change(value, mark, luck())
    if draw.kind != "odds":
        return [draw.change(number, mark, luck()) for number in value]
    shared = luck()  # of a curve in per cent: all its knots move together
    return [100 * draw.change(number / 100, mark, shared) for number in value]


@cache
def _draws(package: str) -> tuple[_Draw, ...]:
    rows = read_toml(package, "services.toml")["draw"]
    return tuple(_draw(row) for row in rows)


def _draw(row: Mapping[str, Any]) -> _Draw:
    (kind,) = {"factor", "odds", "value"} & row.keys()
    low, high = row[kind]
    paths = tuple(row["paths"])
    return _Draw(row["name"], paths, kind, low, high, row.get("each", 0.0), row.get("power", 1.0))


def _matching(raw: Mapping[str, Any], pattern: str) -> Iterator[str]:
    """Yield the dotted paths that a pattern names; ``*`` stands for any one name."""
    head, _, rest = pattern.partition(".")
    names = [name for name in raw if head in ("*", name)]
    for name in names:
        if not rest:
            yield name
        elif isinstance(raw[name], dict):
            yield from (f"{name}.{path}" for path in _matching(raw[name], rest))


def _entry(raw: Mapping[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *tables, key = path.split(".")
    table: Any = raw
    for name in tables:
        table = table[name]
    return table, key
