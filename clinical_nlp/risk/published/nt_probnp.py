"""The age-adjusted rule of natriuretic peptides, with limits in data (``nt_probnp.toml``).

It is the usual test when heart failure is suspected. Most patients have no value. A value with a
comparator or a range is an interval: it is ruled out where all of the interval is, and it is
raised as far as its lower end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Evidence
from clinical_nlp.risk.latest import latest
from clinical_nlp.risk.timeline import Entry, Presence, Timeline

#: The peptide of the published rule.
NT_PROBNP = "nt_probnp"


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
    start = timeline.as_of - timedelta(days=peptide_rule()["window_days"])
    values = [
        entry
        for entry in timeline.of(frozenset([NT_PROBNP]))
        if entry.value is not None
        and entry.presence is Presence.PRESENT
        and entry.day is not None
        and entry.day > start
    ]
    newest = latest(values)
    if newest is None or timeline.age is None:
        return NtProBnpResult(NtProBnpClass.NONE)
    return NtProBnpResult(peptide_class(newest, timeline.age), newest.value or 0.0, newest.evidence)


def peptide_class(entry: Entry, age: int | None) -> NtProBnpClass:
    """Class of one measured NT-proBNP or BNP.

    Parameters
    ----------
    entry
        A value in pg/mL, with its comparator or range.
    age
        Years; without one the limit of the oldest holds.

    Returns
    -------
    NtProBnpClass
        ``NONE`` for an entry without a value.
    """
    if entry.value is None:
        return NtProBnpClass.NONE
    floor, ceiling = value_bounds(entry)
    rule_out = peptide_rule()["peptides"][entry.concept]["rule_out_below"]
    # '<125' is below 125, '<=125' may be 125.
    if ceiling < rule_out or (entry.comparator == "<" and ceiling == rule_out):
        return NtProBnpClass.RULED_OUT
    if floor < rule_out:
        return NtProBnpClass.BETWEEN  # '<300' decides neither
    if floor >= peptide_rule()["peptides"][entry.concept]["high"]:
        return NtProBnpClass.HIGH
    likely = floor >= likely_limit(entry.concept, age)
    return NtProBnpClass.LIKELY if likely else NtProBnpClass.BETWEEN


def likely_limit(peptide: str, age: int | None) -> float:
    """Return the value (pg/mL) from which heart failure is likely at an age in years."""
    rows = peptide_rule()["peptides"][peptide]["likely"]
    return float([row["value"] for row in rows if age is None or age >= row["from_age"]][-1])


def value_bounds(entry: Entry) -> tuple[float, float]:
    """Return the least and the greatest value that a measurement may stand for."""
    value = entry.value or 0.0
    if entry.comparator in ("<", "<="):
        return 0.0, value
    if entry.comparator in (">", ">="):
        return value, math.inf
    low = value if entry.low is None else entry.low
    return low, value if entry.high is None else entry.high


@cache
def peptide_rule() -> dict[str, Any]:
    """Return the rule as shipped with the package."""
    return read_toml("clinical_nlp.risk.published", "nt_probnp.toml")
