"""What is measured at a contact, and what everyday contacts are about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from clinical_nlp.artifacts import read_toml
from clinical_nlp.simulation.rng import pick_weighted
from clinical_nlp.simulation.stages.bedside import Bedside
from clinical_nlp.simulation.stages.parameters import PACKAGE

if TYPE_CHECKING:
    from clinical_nlp.simulation.stages.care import Contact

_REVIEWS = ("review", "hf_follow_up")
_BREATH = ("complaint", "bronchitis", "copd_flare", "follow_up", "hf_follow_up")


@lru_cache(maxsize=1)
def _weights() -> tuple[tuple[str, float], ...]:
    return tuple(read_toml(PACKAGE, "notes/topics.toml")["weights"].items())


def everyday_topic(rng: Random) -> str:
    """Draw what a contact by habit is about."""
    return pick_weighted(rng, _weights())


def measure(
    rng: Random, bedside: Bedside, contact: Contact, care: Mapping[str, float]
) -> dict[str, float]:
    """Draw which vital signs are taken, with their values."""
    review, admitted = contact.topic in _REVIEWS, contact.kind == "hospital"
    share = 0.85 if review or admitted else care["vitals"]
    if contact.kind == "phone" or rng.random() > share:
        return {}
    values = bedside.vitals(rng, contact.day)
    taken = {name: values[name] for name in ("sbp", "dbp")}
    if rng.random() < 0.6:
        taken["hr"] = values["hr"]
    if rng.random() < (0.55 if contact.topic in _BREATH or admitted else 0.1):
        taken["spo2"] = values["spo2"]
    if rng.random() < care["weighed"] * (2.5 if review else 0.5):
        taken["weight"] = values["weight"]
        if rng.random() < 0.35:
            taken["height"] = values["height"]
    return taken
