"""One contact with the health service, and the topics that contacts are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from clinical_nlp.simulation.grammar import read_notes_file

#: How strongly a sign makes a patient consult; the others are found at visits made anyway.
CONSULTATION_WEIGHT: Mapping[str, float] = {
    "exertional_dyspnea": 1.0,
    "oedema": 0.9,
    "orthopnea": 1.5,
    "nocturnal_dyspnea": 1.5,
    "rest_dyspnea": 2.0,
    "palpitations": 0.9,
    "chest_pain": 1.2,
    "fatigue": 0.4,
    "dizziness": 0.5,
    "cough": 0.5,
    "night_cough": 0.6,
    "heavy_legs": 0.6,
    "weight_gain": 0.4,
    "bloating": 0.3,
    "wheeze": 0.5,
}
#: Long-term conditions that a review follows.
REVIEWED = (
    "hypertension",
    "diabetes",
    "dyslipidemia",
    "atrial_fibrillation",
    "ischemic_heart_disease",
    "chronic_kidney_disease",
    "copd",
)
#: Topics at which a clinician asks about the heart anyway.
CARDIAC = frozenset({"complaint", "review", "hf_review", "hf_diagnosis"})


@dataclass(slots=True)
class Visit:
    """One contact.

    Parameters
    ----------
    day, minute
        Ordinal day, and minutes after midnight.
    kind
        ``gp``, ``nurse``, ``phone``, ``home``, ``urgent`` or ``hospital``.
    topic
        A key of ``[topic]`` in the notes' grammar.
    signs
        Signs present that day, each with the cause that contributes most.
    vitals, labs
        What was measured, by name, in the units of the record.
    tests
        Rules of ``[test]`` whose result came with the visit.
    asks
        The clinician asks about cardiac signs whatever the visit is about.
    suspects
        Heart failure is suspected, though not diagnosed.
    """

    day: int
    minute: int
    kind: str
    topic: str
    signs: dict[str, str] = field(default_factory=dict)
    vitals: dict[str, float] = field(default_factory=dict)
    labs: dict[str, float] = field(default_factory=dict)
    tests: list[str] = field(default_factory=list)
    asks: bool = False
    suspects: bool = False


@lru_cache(maxsize=1)
def topics() -> dict[str, dict[str, Any]]:
    """Return the everyday topics of ``topics_index.toml``."""
    return read_notes_file("topics_index.toml")
