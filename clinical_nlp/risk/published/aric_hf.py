"""The ARIC heart failure risk score, without and with NT-proBNP: it ranks, no probability.

Agarwal SK et al. Prediction of incident heart failure in general practice: the Atherosclerosis
Risk in Communities (ARIC) study. Circ Heart Fail 2012;5:422-429. Developed in US adults without
heart failure; those with coronary disease are among them, unlike in PREVENT and PCP-HF.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.published.inputs import (
    bmi_of,
    has_coronary_disease,
    has_diabetes,
    is_smoker,
    missing,
    treats_blood_pressure,
    value_of,
    was_smoker,
)
from clinical_nlp.risk.published.refusal import Refusal
from clinical_nlp.risk.timeline import Timeline

_NAME = "ARIC"


@dataclass(frozen=True, slots=True)
class AricInputs:
    """Inputs of the score.

    Parameters
    ----------
    age
        Years.
    heart_rate
        Beats a minute.
    systolic_bp
        mmHg.
    bmi
        kg/m2.
    nt_probnp
        pg/mL.
    treated
        Takes antihypertensive drugs.
    """

    sex: Sex
    age: float | None
    heart_rate: float | None
    systolic_bp: float | None
    bmi: float | None
    nt_probnp: float | None = None
    diabetes: bool = False
    coronary_disease: bool = False
    smoker: bool = False
    former_smoker: bool = False
    treated: bool = False


@dataclass(frozen=True, slots=True)
class AricResult:
    """Log hazard against a person with all inputs 0, or ``None`` and the reasons."""

    log_hazard: float | None
    why_not: tuple[Refusal, ...] = ()


def aric_hf(inputs: AricInputs, *, with_nt_probnp: bool = False) -> AricResult:
    """Rank a person by the hazard of heart failure.

    Examples
    --------
    >>> man = AricInputs(Sex.MALE, 60, 70, 130, 28)
    >>> round(aric_hf(man).log_hazard, 3)
    10.154
    """
    needed = ["age", "heart_rate", "systolic_bp", "bmi"]
    needed += ["nt_probnp"] if with_nt_probnp else []
    reasons = [missing(_NAME, item) for item in needed if getattr(inputs, item) is None]
    if inputs.sex not in (Sex.FEMALE, Sex.MALE):
        reasons.append(missing(_NAME, "sex"))
    if reasons:
        return AricResult(None, tuple(reasons))
    terms = {
        "age": inputs.age or 0.0,
        "male": float(inputs.sex is Sex.MALE),
        "heart_rate": inputs.heart_rate or 0.0,
        "systolic_bp": inputs.systolic_bp or 0.0,
        "treated": float(inputs.treated),
        "diabetes": float(inputs.diabetes),
        "coronary_disease": float(inputs.coronary_disease),
        "current_smoker": float(inputs.smoker),
        "former_smoker": float(inputs.former_smoker and not inputs.smoker),
        "bmi": inputs.bmi or 0.0,
        "ln_nt_probnp": math.log(inputs.nt_probnp or 1.0),
    }
    column = _coefficients()["with_nt_probnp" if with_nt_probnp else "clinical"]
    return AricResult(sum(weight * terms[name] for name, weight in column.items()))


def aric_inputs(timeline: Timeline, table: FeatureTable) -> AricInputs:
    """Take the inputs from a timeline."""
    return AricInputs(
        sex=timeline.sex,
        age=timeline.age,
        heart_rate=value_of(timeline, table, "heart_rate"),
        systolic_bp=value_of(timeline, table, "systolic_bp"),
        bmi=bmi_of(timeline, table),
        nt_probnp=value_of(timeline, table, "nt_probnp"),
        diabetes=has_diabetes(timeline),
        coronary_disease=has_coronary_disease(timeline),
        smoker=is_smoker(timeline, table),
        former_smoker=was_smoker(timeline),
        treated=treats_blood_pressure(timeline, table),
    )


@cache
def _coefficients() -> dict[str, dict[str, float]]:
    text = resources.files("clinical_nlp.risk.published").joinpath("aric_hf.csv")
    lines = [line for line in text.read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    return {
        column: {row["term"]: float(row[column]) for row in rows if row[column]}
        for column in ("clinical", "with_nt_probnp")
    }
