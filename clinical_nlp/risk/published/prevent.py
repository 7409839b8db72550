"""AHA PREVENT, base model for heart failure: 10- and 30-year risk.

Khan SS et al. Development and validation of the American Heart Association's PREVENT
equations. Circulation 2024;149:430-449. Developed in US adults aged 30 to 79 without
cardiovascular disease; outside these limits there is a reason instead of a risk.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Literal

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import current, ever, measured
from clinical_nlp.risk.timeline import Entry, Timeline
from clinical_nlp.spanish import decimal_comma

#: Limits of each input, inclusive, and its Spanish name: the paper's table of inputs.
LIMITS: dict[str, tuple[float, float, str]] = {
    "age": (30, 79, "edad"),
    "systolic_bp": (90, 180, "tensión sistólica"),
    "bmi": (18.5, 39.9, "IMC"),
    "egfr": (15, 140, "filtrado glomerular"),
}

#: Ages up to which the 30-year equation holds.
_MAX_AGE_30_YEARS = 59


@dataclass(frozen=True, slots=True)
class PreventInputs:
    """Inputs of the equation.

    Parameters
    ----------
    age
        Years.
    systolic_bp
        mmHg.
    bmi
        kg/m2.
    egfr
        mL/min/1.73 m2 (CKD-EPI 2021).
    treated
        Takes antihypertensive drugs.
    """

    sex: Sex
    age: float | None
    systolic_bp: float | None
    bmi: float | None
    egfr: float | None
    diabetes: bool = False
    smoker: bool = False
    treated: bool = False


@dataclass(frozen=True, slots=True)
class PreventResult:
    """Risk (0..1), or ``None`` and the reasons in Spanish."""

    probability: float | None
    why_not: tuple[str, ...] = ()


def prevent_hf(inputs: PreventInputs, years: Literal[10, 30] = 10) -> PreventResult:
    """Estimate the risk of heart failure over 10 or 30 years.

    Examples
    --------
    >>> woman = PreventInputs(Sex.FEMALE, 50, 160, 35, 90, diabetes=True, treated=True)
    >>> round(prevent_hf(woman).probability, 3), round(prevent_hf(woman, 30).probability, 2)
    (0.081, 0.39)
    """
    reasons = _outside(inputs, years)
    if reasons:
        return PreventResult(None, reasons)
    age, sbp, bmi, egfr = inputs.age, inputs.systolic_bp, inputs.bmi, inputs.egfr
    if age is None or sbp is None or bmi is None or egfr is None:  # checked above
        return PreventResult(None)
    decades = (age - 55) / 10
    terms = {
        "constant": 1.0,
        "age": decades,
        "age_squared": decades**2,
        "sbp_low": (min(sbp, 110) - 110) / 20,
        "sbp_high": (max(sbp, 110) - 130) / 20,
        "diabetes": float(inputs.diabetes),
        "smoking": float(inputs.smoker),
        "bmi_low": (min(bmi, 30) - 25) / 5,
        "bmi_high": (max(bmi, 30) - 30) / 5,
        "egfr_low": (min(egfr, 60) - 60) / -15,
        "egfr_high": (max(egfr, 60) - 90) / -15,
        "treated": float(inputs.treated),
    }
    terms["treated_sbp_high"] = terms["treated"] * terms["sbp_high"]
    for name in ("sbp_high", "diabetes", "smoking", "bmi_high", "egfr_low"):
        terms[f"age_{name}"] = decades * terms[name]
    column = _coefficients()[years, inputs.sex]
    log_odds = sum(weight * terms[name] for name, weight in column.items())
    return PreventResult(1 / (1 + math.exp(-log_odds)))


def prevent_inputs(timeline: Timeline, table: FeatureTable) -> PreventInputs:
    """Take the equation's inputs from a timeline, by the definitions of the features."""
    topics = {topic.key: topic for topic in table.topics}

    def entries(key: str) -> list[Entry]:
        return timeline.of(topics[key].concepts)

    def last(key: str) -> float | None:
        values = measured(topics[key], entries(key), timeline, table)
        return values[-1].value if values else None

    drugs = ("antihypertensive", "beta_blocker", "calcium_blocker")
    recent = timeline.as_of - timedelta(days=table.lookback_days)
    smoking = [e for e in ever(entries("smoking")) if e.day is not None and e.day > recent]
    return PreventInputs(
        sex=timeline.sex,
        age=timeline.age,
        systolic_bp=last("systolic_bp"),
        bmi=last("bmi"),
        egfr=last("egfr"),
        diabetes=bool(ever(entries("diabetes"))),
        smoker=bool(smoking),
        treated=any(current(entries(key), timeline, table) for key in drugs),
    )


def _outside(inputs: PreventInputs, years: int) -> tuple[str, ...]:
    reasons = []
    if inputs.sex not in (Sex.FEMALE, Sex.MALE):
        reasons.append("PREVENT necesita el sexo (mujer o varón)")
    for field, (low, high, name) in LIMITS.items():
        value = getattr(inputs, field)
        top = _MAX_AGE_30_YEARS if field == "age" and years == 30 else high
        if value is None:
            reasons.append(f"PREVENT necesita {name}")
        elif not low <= value <= top:
            bounds = decimal_comma(f"{low:g} a {top:g}")
            reasons.append(f"{name} fuera de los límites de PREVENT ({bounds})")
    return tuple(reasons)


@cache
def _coefficients() -> dict[tuple[int, Sex], dict[str, float]]:
    text = resources.files("clinical_nlp.risk.published").joinpath("prevent_hf.csv")
    lines = [line for line in text.read_text("utf-8").splitlines() if not line.startswith("#")]
    columns: dict[tuple[int, Sex], dict[str, float]] = {}
    for row in csv.DictReader(lines):
        for sex in (Sex.FEMALE, Sex.MALE):
            columns.setdefault((int(row["years"]), sex), {})[row["term"]] = float(row[sex.value])
    return columns
