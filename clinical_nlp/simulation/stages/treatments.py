"""What is prescribed for what, from when to when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.simulation.parameters import YEAR
from clinical_nlp.simulation.rng import pick_weighted
from clinical_nlp.simulation.stages.life import Spell
from clinical_nlp.simulation.stages.parameters import PACKAGE

#: Chance a year that a drug is given up (assumption).
_GIVEN_UP = 0.18
#: Needs that the care brings about, not the conditions.
_CARE = frozenset({"suspected", "diagnosed", "diagnosed_reduced"})


@dataclass(frozen=True, slots=True)
class Medication:
    """A drug taken from ``start`` until ``end`` (``None``: for good)."""

    key: str
    atc: str
    name: str
    dose: str
    start: int
    end: int | None

    def taken_on(self, day: int) -> bool:
        """Whether it is taken on ``day``."""
        return self.start <= day and (self.end is None or day < self.end)


@lru_cache(maxsize=1)
def _drugs() -> dict[str, Any]:
    return read_toml(PACKAGE, "drugs.toml")


def medicate(
    rng: Random, spells: Mapping[str, Sequence[Spell]], care: bool = False
) -> list[Medication]:
    """Draw what is prescribed for each spell of a condition.

    Parameters
    ----------
    spells
        By condition; or, with ``care``, the days of suspicion and diagnosis.
    """
    taken: dict[str, Medication] = {}
    for medication in _given(rng, spells, care):
        known = taken.get(medication.key)
        if known is None or medication.start < known.start:
            taken[medication.key] = medication
    return sorted(taken.values(), key=lambda medication: (medication.start, medication.key))


def _given(rng: Random, spells: Mapping[str, Sequence[Spell]], care: bool) -> Iterator[Medication]:
    for row in _drugs()["given"]:
        if (row["needs"] in _CARE) is not care:
            continue
        for start, end in spells.get(row["needs"], ()):
            if rng.random() > row["share"]:
                continue
            key = pick_weighted(rng, list(row["choices"].items()))
            drug = _drugs()["drug"][key]
            begin = start + int(rng.expovariate(1 / row["after"]))
            stop = begin + int(rng.expovariate(_GIVEN_UP) * YEAR)
            if end is not None:
                stop = min(stop, end + 60)
            if stop > begin:
                yield Medication(key, drug["atc"], drug["name"], drug["dose"], begin, stop)
