"""The four states of a patient in a clinician's words (``states.toml``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import EstimateStatus


@dataclass(frozen=True, slots=True)
class PatientState:
    """How one state is said.

    Parameters
    ----------
    status
        The state.
    name_es
        Two words, for a column: ``"sospecha escrita"``.
    heading_es
        Over the patients in this state.
    meaning_es
        One sentence: what the state means, and what it does not.
    """

    status: EstimateStatus
    name_es: str
    heading_es: str
    meaning_es: str


@cache
def load_states() -> tuple[PatientState, ...]:
    """Return the states in the order in which they are shown: written suspicions first."""
    return tuple(
        PatientState(**{**row, "status": EstimateStatus(row["status"])})
        for row in read_toml("clinical_nlp.risk", "states.toml")["state"]
    )


def state_of(status: EstimateStatus) -> PatientState:
    """Return the state of an estimate's status."""
    return next(state for state in load_states() if state.status is status)
