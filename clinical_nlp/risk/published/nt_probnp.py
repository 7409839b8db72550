"""The age-adjusted NT-proBNP rule, with thresholds in data (``nt_probnp.toml``).

It is the usual test when heart failure is suspected. Most patients have no value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Evidence
from clinical_nlp.risk.timeline import Presence, Timeline


class NtProBnpClass(StrEnum):
    """Class of the newest value."""

    NONE = "not measured"
    RULED_OUT = "ruled out"
    BETWEEN = "grey zone"
    LIKELY = "likely"
    HIGH = "high risk"


#: Score of each class; no value ranks between a low and a raised one.
_SCORES = {
    NtProBnpClass.RULED_OUT: 0.0,
    NtProBnpClass.NONE: 1.0,
    NtProBnpClass.BETWEEN: 2.0,
    NtProBnpClass.LIKELY: 3.0,
    NtProBnpClass.HIGH: 4.0,
}


@dataclass(frozen=True, slots=True)
class NtProBnpResult:
    """Class, value (pg/mL) and source of the value."""

    outcome: NtProBnpClass
    value: float | None = None
    evidence: Evidence | None = None

    @property
    def score(self) -> float:
        """Score of the class; higher is riskier."""
        return _SCORES[self.outcome]


def nt_probnp_rule(timeline: Timeline) -> NtProBnpResult:
    """Classify the newest value in the rule's window, from notes or laboratory."""
    rule = _rule()
    start = timeline.as_of - timedelta(days=rule["window_days"])
    values = [
        entry
        for entry in timeline.of(frozenset([rule["measurement"]]))
        if entry.value is not None
        and entry.presence is Presence.PRESENT
        and entry.day is not None
        and entry.day > start
    ]
    if not values or timeline.age is None:
        return NtProBnpResult(NtProBnpClass.NONE)
    newest = values[-1]
    value = newest.value or 0.0
    likely = [row["value"] for row in rule["likely"] if timeline.age >= row["from_age"]][-1]
    below = newest.comparator == "<" and value <= rule["rule_out_below"]
    if below or value < rule["rule_out_below"]:  # '<125' is below 125, and no grey zone
        outcome = NtProBnpClass.RULED_OUT
    elif value >= rule["high"]["value"]:
        outcome = NtProBnpClass.HIGH
    else:
        outcome = NtProBnpClass.LIKELY if value >= likely else NtProBnpClass.BETWEEN
    return NtProBnpResult(outcome, value, newest.evidence)


@cache
def _rule() -> dict[str, Any]:
    return read_toml("clinical_nlp.risk.published", "nt_probnp.toml")
