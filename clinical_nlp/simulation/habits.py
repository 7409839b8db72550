"""How the clinicians of a health service code, prescribe, measure and write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Any

#: Code systems of a problem, in order, by the mark up to which a patient's codes are such.
CodePatterns = tuple[tuple[float, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class WritingHabits:
    """How a service's notes differ from the shipped ones; see ``[writing]`` in the file.

    Parameters
    ----------
    staff
        Name of the staff: another name, other clinicians with styles of their own.
    phrases
        Share of the grammar's wordings that this staff knows; which, the name decides.
    unaccented, abbreviated, typos, verbosity
        Factors of the rates of a clinician's style.
    layouts
        Factor of the weight of each layout, by its name.
    """

    staff: str = ""
    phrases: float = 1.0
    unaccented: float = 1.0
    abbreviated: float = 1.0
    typos: float = 1.0
    verbosity: float = 1.0
    layouts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Habits:
    """Habits of a service besides the rates of ``[care]``.

    Parameters
    ----------
    codes
        Which code systems problems are coded in.
    missing
        Share of the measurements of each name that are never made.
    drugs
        Factor of the weight of each drug where one of several is chosen.
    """

    codes: CodePatterns
    missing: Mapping[str, float] = field(default_factory=dict)
    drugs: Mapping[str, float] = field(default_factory=dict)
    writing: WritingHabits = WritingHabits()

    def systems(self, mark: float) -> tuple[str, ...]:
        """Return the code systems of a patient whose ``mark`` lies between 0 and 1."""
        return next((systems for upto, systems in self.codes if mark < upto), self.codes[-1][1])


class Gaps:
    """Leaves out measurements that a service seldom makes.

    Parameters
    ----------
    rng
        A stream of its own: the patient is otherwise the same with and without gaps.
    missing
        Share left out, by name.
    """

    def __init__(self, rng: Random, missing: Mapping[str, float]) -> None:
        self._rng = rng
        self._missing = {name: share for name, share in missing.items() if share > 0}

    def keep(self, values: dict[str, float]) -> dict[str, float]:
        """Return what is measured of ``values``; a pressure is measured whole or not."""
        if not self._missing:
            return values
        kept = {
            name: value
            for name, value in values.items()
            if self._rng.random() >= self._missing.get(name, 0.0)
        }
        return kept if ("sbp" in kept) == ("dbp" in kept) else _without_pressure(kept)


def parse_habits(raw: Mapping[str, Any]) -> Habits:
    """Return the habits of a parameters file: ``[coding]``, ``[missing]``, ``[prescribing]``."""
    writing = dict(raw.get("writing", {}))
    layouts = tuple(writing.pop("layouts", {}).items())
    return Habits(
        codes=_code_patterns(raw["coding"]["patterns"]),
        missing=raw.get("missing", {}),
        drugs=raw.get("prescribing", {}).get("drugs", {}),
        writing=WritingHabits(**writing, layouts=layouts),
    )


def _code_patterns(shares: Mapping[str, float]) -> CodePatterns:
    used = {name: share for name, share in shares.items() if share > 0}
    total = sum(used.values())
    marks = accumulate(used.values())
    return tuple(
        (mark / total, tuple(name.split("_"))) for mark, name in zip(marks, used, strict=True)
    )


def _without_pressure(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name not in ("sbp", "dbp")}
