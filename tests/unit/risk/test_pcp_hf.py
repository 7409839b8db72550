"""PCP-HF."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.published import PcpHfInputs, RefusalCode, pcp_hf, pcp_hf_inputs

DAY = date(2024, 6, 1)
TABLE = load_features()
MAN = PcpHfInputs(Sex.MALE, 60, 130, 100, 200, 50, 28, 100)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # Worked by hand from the coefficients, term by term.
        ({}, 0.02506),
        ({"sex": Sex.FEMALE}, 0.01917),
        (
            {"age": 70, "systolic_bp": 150, "glucose": 140, "total_cholesterol": 180,
             "hdl_cholesterol": 40, "bmi": 32, "qrs_duration": 110, "treated_bp": True,
             "treated_glucose": True, "smoker": True},
            0.46696,
        ),
        (
            {"sex": Sex.FEMALE, "age": 70, "systolic_bp": 150, "glucose": 140, "bmi": 32,
             "qrs_duration": 90, "treated_bp": True, "treated_glucose": True, "smoker": True},
            0.26855,
        ),
    ],
)  # fmt: skip
def test_pcp_hf_reproduces_its_equations(change, expected):
    assert pcp_hf(replace(MAN, **change)).probability == pytest.approx(expected, abs=0.00001)


@pytest.mark.parametrize("sex", [Sex.FEMALE, Sex.MALE])
def test_pcp_hf_of_the_cohorts_average_person_is_near_the_baseline(sex):
    """At the mean of coefficient x value the risk is 1 - S0, about 1%."""
    average = PcpHfInputs(sex, 52, 125, 98, 200, 48, 27, 96)
    assert 0.005 < pcp_hf(average).probability < 0.015


@given(
    sex=st.sampled_from([Sex.FEMALE, Sex.MALE]),
    age=st.integers(40, 76),  # the interaction of age and pressure turns at 78 in women
    sbp=st.floats(110, 180),
    glucose=st.floats(70, 200),
    qrs=st.floats(70, 160),
)
def test_pcp_hf_rises_with_age_pressure_glucose_and_qrs(sex, age, sbp, glucose, qrs):
    base = PcpHfInputs(sex, age, sbp, glucose, 200, 50, 27, qrs)
    risk = pcp_hf(base).probability
    assert 0 < risk < 1
    for worse in (
        {"age": age + 1}, {"systolic_bp": sbp + 5}, {"glucose": glucose + 5},
        {"qrs_duration": qrs + 5}, {"hdl_cholesterol": 40.0}, {"smoker": True},
    ):  # fmt: skip
        assert pcp_hf(replace(base, **worse)).probability > risk


@pytest.mark.parametrize(
    ("change", "code", "item"),
    [
        ({"age": 80}, RefusalCode.OUTSIDE, "age"),
        ({"qrs_duration": None}, RefusalCode.MISSING, "qrs_duration"),
        ({"total_cholesterol": None}, RefusalCode.MISSING, "total_cholesterol"),
        ({"sex": Sex.UNKNOWN}, RefusalCode.MISSING, "sex"),
        ({"prior_disease": ("stroke",)}, RefusalCode.PRIOR_DISEASE, "stroke"),
    ],
)
def test_pcp_hf_without_an_input_says_which(change, code, item):
    result = pcp_hf(replace(MAN, **change))
    assert result.probability is None
    assert [(reason.code, reason.item) for reason in result.why_not] == [(code, item)]


def test_pcp_hf_of_women_needs_no_total_cholesterol():
    woman = replace(MAN, sex=Sex.FEMALE, total_cholesterol=None)
    assert pcp_hf(woman).probability == pcp_hf(replace(MAN, sex=Sex.FEMALE)).probability


def test_pcp_hf_inputs_name_what_the_catalogue_does_not_read(timeline, event, lexicon):
    line = timeline(
        DAY,
        events=[
            event("observation", "loinc", "2093-3", date(2024, 1, 1), value=210.0, unit="mg/dL"),
            event("condition", "icd10", "E11.9", date(2015, 1, 1)),
            event("medication", "atc", "A10BA02", date(2015, 1, 1)),
        ],
    )
    found = pcp_hf_inputs(line, TABLE, lexicon.concepts)
    assert found.total_cholesterol == 210.0 and found.treated_glucose
    assert found.unread == ("hdl_cholesterol", "qrs_duration")
    reasons = pcp_hf(found).why_not
    assert [r.item for r in reasons if r.code is RefusalCode.NOT_READ] == list(found.unread)
    assert "QRS" in reasons[1].sentence
    assert not {r.item for r in reasons if r.code is RefusalCode.MISSING} & set(found.unread)
