"""Why a published score gives no answer for a patient: a code, and a sentence in Spanish."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RefusalCode(StrEnum):
    """Kind of reason."""

    MISSING = "missing"  # the record lacks the input
    NOT_READ = "not in the catalogue"  # no record of any patient can give it
    OUTSIDE = "outside the limits"
    PRIOR_DISEASE = "prior cardiovascular disease"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason.

    Parameters
    ----------
    item
        Input or catalogue concept that it is about.
    sentence
        In Spanish, for clinicians.
    """

    code: RefusalCode
    item: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.code.value}: {self.item.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """Risk (0..1), or ``None`` and the reasons."""

    probability: float | None
    why_not: tuple[Refusal, ...] = ()
