"""The second simulator's parameters: ``stages.toml`` as typed, frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.simulation.parameters import check_cut
from clinical_nlp.simulation.stages.hazards import HazardTable, parse_hazards

PACKAGE = "clinical_nlp.simulation.stages"


@dataclass(frozen=True, slots=True)
class StagesParameters:
    """All parameters of the second simulator.

    Parameters
    ----------
    start, cut, end
        First day of the record, the day it is shown as of, and the last day of the truth.
    hazards
        Of every condition, stage and death.
    population, disease, care, coding
        Values by name, as in the file.
    languages
        By language: share of the patients, and share of their notes.
    staff, phrases
        Name of the staff, which decides how each clinician writes, and the share of the
        grammar's wordings that it uses.
    """

    start: date
    cut: date
    end: date
    hazards: HazardTable
    population: Mapping[str, Any]
    disease: Mapping[str, Any]
    care: Mapping[str, float]
    coding: Mapping[str, Any]
    languages: Mapping[str, tuple[float, float]]
    staff: str = ""
    phrases: float = 1.0

    def as_of(self, cut: date) -> StagesParameters:
        """Return the same parameters with another cut.

        Raises
        ------
        UsageError
            E110 where the cut is outside the simulated years.
        """
        check_cut(cut, self.start, self.end)
        return replace(self, cut=cut)

    def without_notes(self) -> StagesParameters:
        """Return the same parameters with no notes; the codes are the same."""
        return replace(self, care={**self.care, "written": 0.0})


@lru_cache(maxsize=1)
def load_stages_parameters() -> StagesParameters:
    """Read the shipped ``stages.toml``."""
    return parse_stages(shipped_stages())


def shipped_stages() -> dict[str, Any]:
    """Return ``stages.toml`` as it is read: a copy of the caller's own."""
    return read_toml(PACKAGE, "stages.toml")


def parse_stages(raw: Mapping[str, Any]) -> StagesParameters:
    """Return the parameters of a file's content."""
    return StagesParameters(
        **raw["timeline"],
        hazards=parse_hazards(raw["hazards"]),
        population=raw["population"],
        disease=raw["disease"],
        care=raw["care"],
        coding=raw["coding"],
        **raw["staff"],
        languages={name: tuple(shares) for name, shares in raw["languages"].items()},
    )
