"""PCP-HF: the Pooled Cohort Equations to Prevent Heart Failure, 10-year risk.

Khan SS et al. 10-year risk equations for incident heart failure in the general population. J Am
Coll Cardiol 2019;73:2388-2397. Sex- and race-specific; the record holds no race, so that the
equations of white adults are used. Developed in US adults aged 30 to 79 without cardiovascular
disease. They need the QRS duration and HDL cholesterol, and no published variant without them is
known here. (A validation in Israeli records, Am J Cardiol 2022;168:105, names neither among its
inputs; its abstract does not say how it did.)
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib import resources

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.published.inputs import (
    bmi_of,
    is_smoker,
    known_disease,
    missing,
    not_read,
    outside,
    prior_disease,
    treats_blood_pressure,
    treats_glucose,
    value_of,
)
from clinical_nlp.risk.published.refusal import Refusal, ScoreResult
from clinical_nlp.risk.timeline import Timeline

_NAME = "PCP-HF"

#: Ages of the cohorts, inclusive.
AGES = (30, 79)

#: Measurements taken by the concept of that name.
_MEASURED = ("systolic_bp", "glucose", "total_cholesterol", "hdl_cholesterol", "qrs_duration")


@dataclass(frozen=True, slots=True)
class PcpHfInputs:
    """Inputs of the equations.

    Parameters
    ----------
    age
        Years.
    systolic_bp
        mmHg.
    glucose
        Fasting, mg/dL.
    total_cholesterol, hdl_cholesterol
        mg/dL.
    bmi
        kg/m2.
    qrs_duration
        ms.
    treated_bp, treated_glucose
        Takes antihypertensive, or glucose-lowering, drugs.
    prior_disease
        Concepts by which cardiovascular disease is known.
    unread
        Inputs that no record can give: the catalogue has no such concept.
    """

    sex: Sex
    age: float | None
    systolic_bp: float | None
    glucose: float | None
    total_cholesterol: float | None
    hdl_cholesterol: float | None
    bmi: float | None
    qrs_duration: float | None
    treated_bp: bool = False
    treated_glucose: bool = False
    smoker: bool = False
    prior_disease: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def pcp_hf(inputs: PcpHfInputs) -> ScoreResult:
    """Estimate the 10-year risk of heart failure.

    Examples
    --------
    >>> man = PcpHfInputs(Sex.MALE, 60, 130, 100, 200, 50, 28, 100)
    >>> round(pcp_hf(man).probability, 3)
    0.025
    """
    reasons = _refusals(inputs)
    if reasons:
        return ScoreResult(None, reasons)
    log_age = math.log(inputs.age or 0)
    log_sbp, log_glucose = math.log(inputs.systolic_bp or 0), math.log(inputs.glucose or 0)
    log_bmi = math.log(inputs.bmi or 0)
    treated_bp, treated_glucose = float(inputs.treated_bp), float(inputs.treated_glucose)
    terms = {
        "ln_age": log_age,
        "ln_age_squared": log_age**2,
        "ln_treated_sbp": treated_bp * log_sbp,
        "ln_untreated_sbp": (1 - treated_bp) * log_sbp,
        "smoker": float(inputs.smoker),
        "ln_treated_glucose": treated_glucose * log_glucose,
        "ln_untreated_glucose": (1 - treated_glucose) * log_glucose,
        # Not in the women's equation: 1 where it is not measured.
        "ln_total_cholesterol": math.log(inputs.total_cholesterol or 1),
        "ln_hdl": math.log(inputs.hdl_cholesterol or 0),
        "ln_bmi": log_bmi,
        "ln_qrs": math.log(inputs.qrs_duration or 0),
    }
    for name in ("ln_treated_sbp", "ln_untreated_sbp", "smoker", "ln_bmi"):
        terms[f"ln_age_{name}"] = log_age * terms[name]
    column = _coefficients()[inputs.sex]
    index = sum(column[name] * value for name, value in terms.items()) - column["mean"]
    return ScoreResult(1 - column["survival"] ** math.exp(index))


def pcp_hf_inputs(
    timeline: Timeline, table: FeatureTable, catalogue: Collection[str]
) -> PcpHfInputs:
    """Take the inputs from a timeline.

    Parameters
    ----------
    catalogue
        Keys of the lexicon's concepts: inputs without one are listed as not
        read. That a glucose was taken fasting is not in the timeline, and is assumed.
    """
    values = {concept: value_of(timeline, table, concept) for concept in _MEASURED}
    return PcpHfInputs(
        sex=timeline.sex,
        age=timeline.age,
        bmi=bmi_of(timeline, table),
        treated_bp=treats_blood_pressure(timeline, table),
        treated_glucose=treats_glucose(timeline, table),
        smoker=is_smoker(timeline, table),
        prior_disease=prior_disease(timeline),
        unread=tuple(concept for concept in _MEASURED if concept not in catalogue),
        **values,
    )


def _refusals(inputs: PcpHfInputs) -> tuple[Refusal, ...]:
    reasons = [not_read(_NAME, item) for item in inputs.unread]
    reasons += [known_disease(_NAME, concept) for concept in inputs.prior_disease[:1]]
    if inputs.sex not in (Sex.FEMALE, Sex.MALE):
        return (*reasons, missing(_NAME, "sex"))
    needed: tuple[str, ...] = ("age", "bmi", *_MEASURED)
    if not _coefficients()[inputs.sex]["ln_total_cholesterol"]:
        needed = tuple(item for item in needed if item != "total_cholesterol")
    reasons += [
        missing(_NAME, item)
        for item in needed
        if getattr(inputs, item) is None and item not in inputs.unread
    ]
    if inputs.age is not None and not AGES[0] <= inputs.age <= AGES[1]:
        reasons.append(outside(_NAME, "age", f"{AGES[0]} a {AGES[1]}"))
    return tuple(reasons)


@cache
def _coefficients() -> dict[Sex, dict[str, float]]:
    text = resources.files("clinical_nlp.risk.published").joinpath("pcp_hf.csv")
    lines = [line for line in text.read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    return {
        sex: {row["term"]: float(row[sex.value]) for row in rows} for sex in (Sex.FEMALE, Sex.MALE)
    }
