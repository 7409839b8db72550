"""Hazards by age and by what a person already has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Years of age for which hazards are worked out.
_AGES = 125


@dataclass(frozen=True, slots=True)
class Hazard:
    """Yearly hazard of an event; see ``[hazards]`` in the file.

    Parameters
    ----------
    yearly
        At 60 years of age, of a woman without anything that raises it.
    per_decade, men
        Change of its logarithm for each decade, and for men.
    raised_by
        Log hazard ratio of each state that the person may be in.
    ends
        Yearly hazard of leaving the state again; 0 where it is for good.
    needs, only
        State without which it cannot come; sex that alone it comes to.
    """

    name: str
    yearly: float
    per_decade: float
    men: float
    raised_by: Mapping[str, float]
    ends: float = 0.0
    needs: str | None = None
    only: str | None = None

    def at(self, age: float, female: bool) -> float:
        """Return the hazard at an age in years, of a person without anything that raises it."""
        if self.only == "men" and female:
            return 0.0
        return self.yearly * math.exp(
            self.per_decade * (age - 60) / 10 + (0.0 if female else self.men)
        )


class HazardTable:
    """All hazards at every year of age, worked out once.

    Parameters
    ----------
    hazards
        In the order of the file; the order is part of what is drawn.
    """

    def __init__(self, hazards: tuple[Hazard, ...]) -> None:
        self.hazards = hazards
        self.names = tuple(hazard.name for hazard in hazards)
        self.ends = tuple(hazard.ends for hazard in hazards)
        self._rows = {
            female: [
                tuple(hazard.at(age + 0.5, female) for hazard in hazards) for age in range(_AGES)
            ]
            for female in (True, False)
        }

    def at(self, age: int, female: bool) -> tuple[float, ...]:
        """Return every hazard of a year of age, not yet raised by anything."""
        return self._rows[female][age]

    def factors(self, states: set[str], susceptibility: Mapping[str, float]) -> list[float]:
        """Return what the states of a person make of each hazard: 0 where it cannot come."""
        out = []
        for hazard in self.hazards:
            open_to = hazard.needs is None or hazard.needs in states
            if hazard.name in states or not open_to:
                out.append(0.0)
                continue
            log = sum(weight for state, weight in hazard.raised_by.items() if state in states)
            out.append(math.exp(log) * susceptibility.get(hazard.name, 1.0))
        return out

    def endings(self, states: set[str]) -> list[float]:
        """Return the hazard of leaving each state that a person is in."""
        return [hazard.ends if hazard.name in states else 0.0 for hazard in self.hazards]


def parse_hazards(rows: Mapping[str, Mapping[str, Any]]) -> HazardTable:
    """Return the hazards of a file's ``[hazards]``."""
    return HazardTable(
        tuple(Hazard(name, **{"raised_by": {}, **row}) for name, row in rows.items())
    )
