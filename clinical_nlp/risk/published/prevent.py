"""AHA PREVENT, base model for heart failure: 10- and 30-year risk.

Khan SS et al. Development and validation of the American Heart Association's PREVENT
equations. Circulation 2024;149:430-449. Developed in US adults aged 30 to 79 without
cardiovascular disease; outside these limits there is a reason instead of a risk.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.published.inputs import (
    bmi_of,
    egfr_of,
    has_diabetes,
    is_smoker,
    known_disease,
    missing,
    outside,
    prior_disease,
    treats_blood_pressure,
    value_of,
)
from clinical_nlp.risk.published.refusal import Refusal, ScoreResult
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.spanish import decimal_comma

_NAME = "PREVENT"

#: Limits of each input, inclusive: those of the American Heart Association's calculator.
LIMITS: dict[str, tuple[float, float]] = {
    "age": (30, 79),
    "systolic_bp": (90, 200),
    "bmi": (18.5, 39.9),
    "egfr": (15, 150),
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
    prior_disease
        Concepts by which cardiovascular disease is known.
    """

    sex: Sex
    age: float | None
    systolic_bp: float | None
    bmi: float | None
    egfr: float | None
    diabetes: bool = False
    smoker: bool = False
    treated: bool = False
    prior_disease: tuple[str, ...] = ()


def prevent_hf(inputs: PreventInputs, years: Literal[10, 30] = 10) -> ScoreResult:
    """Estimate the risk of heart failure over 10 or 30 years.

    Examples
    --------
    >>> woman = PreventInputs(Sex.FEMALE, 50, 160, 35, 90, diabetes=True, treated=True)
    >>> round(prevent_hf(woman).probability, 3), round(prevent_hf(woman, 30).probability, 2)
    (0.081, 0.39)
    """
    reasons = _refusals(inputs, years)
    if reasons:
        return ScoreResult(None, reasons)
    age, sbp, bmi, egfr = inputs.age, inputs.systolic_bp, inputs.bmi, inputs.egfr
    if age is None or sbp is None or bmi is None or egfr is None:  # checked above
        return ScoreResult(None)
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
    return ScoreResult(1 / (1 + math.exp(-log_odds)))


def nearest_in_range(inputs: PreventInputs) -> PreventInputs:
    """Move blood pressure, BMI and eGFR outside the limits to the limit; age stays.

    The calculator of the American Heart Association allows it: "risk can still be estimated
    with the closest in-range value", which may be an over- or underestimate.
    """

    def held(value: float | None, item: str) -> float | None:
        low, high = LIMITS[item]
        return None if value is None else min(max(value, low), high)

    return replace(
        inputs,
        systolic_bp=held(inputs.systolic_bp, "systolic_bp"),
        bmi=held(inputs.bmi, "bmi"),
        egfr=held(inputs.egfr, "egfr"),
    )


def prevent_inputs(timeline: Timeline, table: FeatureTable) -> PreventInputs:
    """Take the equation's inputs from a timeline.

    BMI is computed from weight and height where it is not recorded, eGFR by CKD-EPI 2021 from
    creatinine.
    """
    return PreventInputs(
        sex=timeline.sex,
        age=timeline.age,
        systolic_bp=value_of(timeline, table, "systolic_bp"),
        bmi=bmi_of(timeline, table),
        egfr=egfr_of(timeline, table),
        diabetes=has_diabetes(timeline),
        smoker=is_smoker(timeline, table),
        treated=treats_blood_pressure(timeline, table),
        prior_disease=prior_disease(timeline),
    )


def _refusals(inputs: PreventInputs, years: int) -> tuple[Refusal, ...]:
    reasons = [known_disease(_NAME, concept) for concept in inputs.prior_disease[:1]]
    if inputs.sex not in (Sex.FEMALE, Sex.MALE):
        reasons.append(missing(_NAME, "sex"))
    for item, (low, high) in LIMITS.items():
        value = getattr(inputs, item)
        top = _MAX_AGE_30_YEARS if item == "age" and years == 30 else high
        if value is None:
            reasons.append(missing(_NAME, item))
        elif not low <= value <= top:
            reasons.append(outside(_NAME, item, decimal_comma(f"{low:g} a {top:g}")))
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
