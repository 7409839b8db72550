"""PREVENT for heart failure, and what it takes from a timeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.published import (
    PreventInputs,
    RefusalCode,
    nearest_in_range,
    prevent_hf,
    prevent_inputs,
)
from clinical_nlp.risk.published.inputs import ckd_epi_2021

DAY = date(2024, 6, 1)
TABLE = load_features()
WOMAN = PreventInputs(Sex.FEMALE, 50, 160, 35, 90, diabetes=True, treated=True)


@pytest.mark.parametrize(
    ("sex", "ten", "thirty"),
    [
        (Sex.FEMALE, 0.081, 0.390),  # Khan et al. 2024, supplement, Table S25 and its workbook
        (Sex.MALE, 0.106, 0.424),  # the same person as a man: tests of the R package preventr
    ],
)
def test_prevent_hf_reproduces_published_example(sex, ten, thirty):
    person = replace(WOMAN, sex=sex)
    assert prevent_hf(person).probability == pytest.approx(ten, abs=0.0005)
    assert prevent_hf(person, 30).probability == pytest.approx(thirty, abs=0.0005)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"age": 80}, RefusalCode.OUTSIDE, "edad fuera de los límites de PREVENT (30 a 79)"),
        ({"age": 29}, RefusalCode.OUTSIDE, "edad fuera"),
        ({"systolic_bp": 205}, RefusalCode.OUTSIDE, "tensión sistólica fuera"),
        ({"bmi": 40}, RefusalCode.OUTSIDE, "IMC fuera de los límites de PREVENT (18,5 a 39,9)"),
        ({"egfr": 14}, RefusalCode.OUTSIDE, "filtrado glomerular fuera"),
        ({"egfr": None}, RefusalCode.MISSING, "necesita filtrado"),
        ({"sex": Sex.UNKNOWN}, RefusalCode.MISSING, "necesita el sexo"),
        ({"prior_disease": ("stroke",)}, RefusalCode.PRIOR_DISEASE, "sin enfermedad cardiovas"),
    ],
)
def test_prevent_hf_outside_limits_returns_coded_reason_without_probability(change, code, words):
    result = prevent_hf(replace(WOMAN, **change))
    assert result.probability is None
    assert [reason.code for reason in result.why_not] == [code]
    assert words in result.why_not[0].sentence


def test_prevent_hf_thirty_years_is_limited_to_age_59():
    assert prevent_hf(replace(WOMAN, age=60), 30).probability is None
    assert prevent_hf(replace(WOMAN, age=60)).probability is not None


def test_nearest_in_range_holds_measurements_and_leaves_age():
    held = nearest_in_range(replace(WOMAN, age=85, systolic_bp=220, bmi=50, egfr=None))
    assert (held.age, held.systolic_bp, held.bmi, held.egfr) == (85, 200, 39.9, None)


@given(
    sex=st.sampled_from([Sex.FEMALE, Sex.MALE]),
    age=st.floats(30, 78),
    sbp=st.floats(110, 179),
    bmi=st.floats(18.5, 39.9),
    egfr=st.floats(15, 140),
)
def test_prevent_hf_added_risk_factor_never_lowers_risk(sex, age, sbp, bmi, egfr):
    base = PreventInputs(sex, age, sbp, bmi, egfr)
    risk = prevent_hf(base).probability
    assert 0 < risk < 1
    for worse in ({"diabetes": True}, {"smoker": True}, {"age": age + 1}, {"systolic_bp": sbp + 1}):
        assert prevent_hf(replace(base, **worse)).probability >= risk


def test_prevent_inputs_come_from_notes_and_codes(timeline, note, event):
    line = timeline(
        DAY,
        [note(DAY - timedelta(30), "TA 160/90", ("160", "systolic_bp", {"value": 160.0}))],
        [
            event("observation", "loinc", "39156-5", date(2024, 1, 1), value=35.0, unit="kg/m2"),
            event("condition", "icd10", "E11.9", date(2015, 1, 1)),
            event("medication", "atc", "C09AA02", date(2015, 1, 1)),
        ],
    )
    found = prevent_inputs(line, TABLE)
    assert found == PreventInputs(Sex.FEMALE, 80, 160.0, 35.0, None, True, False, True)


def _measured(note, day, **values):
    marks = [(f"{key}={value}", key, {"value": value}) for key, value in values.items()]
    return note(day, "; ".join(words for words, *_ in marks), *marks)


def test_prevent_inputs_compute_bmi_from_weight_and_an_old_height(timeline, note):
    old = _measured(note, date(2015, 3, 1), body_height=160.0)
    new = _measured(note, DAY, body_weight=76.8)
    assert prevent_inputs(timeline(DAY, [old, new]), TABLE).bmi == pytest.approx(30.0)
    recorded = _measured(note, DAY - timedelta(90), bmi=29.0)
    assert prevent_inputs(timeline(DAY, [old, new, recorded]), TABLE).bmi == 29.0


def test_prevent_inputs_compute_egfr_from_creatinine_where_it_is_not_recorded(timeline, note):
    taken = DAY - timedelta(200)
    line = timeline(DAY, [_measured(note, taken, creatinine=1.1)])
    expected = ckd_epi_2021(1.1, 79.8, Sex.FEMALE)
    assert prevent_inputs(line, TABLE).egfr == pytest.approx(expected, abs=0.1)
    recorded = _measured(note, taken - timedelta(90), egfr=61.0)
    assert prevent_inputs(timeline(DAY, [recorded]), TABLE).egfr == 61.0


def test_prevent_inputs_prefer_creatinine_to_a_bound(timeline, note):
    bound = note(DAY, "FG > 60", ("60", "egfr", {"value": 60.0, "comparator": ">"}))
    value = _measured(note, DAY - timedelta(30), creatinine=0.7)
    assert prevent_inputs(timeline(DAY, [bound]), TABLE).egfr == 60.0
    assert prevent_inputs(timeline(DAY, [bound, value]), TABLE).egfr > 80


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        (1.1, 50, Sex.MALE, 82),
        (0.9, 60, Sex.MALE, 98),  # at kappa only age counts: 142 x 0.9938^60
        (0.7, 60, Sex.FEMALE, 99),  # and 1.012 in women
        (1.0, 50, Sex.FEMALE, 69),
    ],
)
def test_ckd_epi_2021_reproduces_its_equation(creatinine, age, sex, expected):
    assert round(ckd_epi_2021(creatinine, age, sex)) == expected


def test_ckd_epi_2021_without_sex_gives_no_estimate():
    assert ckd_epi_2021(1.0, 50, Sex.UNKNOWN) is None


@pytest.mark.parametrize("code", ["I25.9", "I21.9", "I63.9", "I73.9"])
def test_prevent_refuses_coded_cardiovascular_disease(timeline, event, code):
    line = timeline(DAY, events=[event("condition", "icd10", code, date(2015, 1, 1))])
    result = prevent_hf(prevent_inputs(line, TABLE))
    assert RefusalCode.PRIOR_DISEASE in {reason.code for reason in result.why_not}


def test_prevent_takes_atrial_fibrillation_for_no_prior_disease(timeline, event, note):
    fibrillation = event("condition", "icd10", "I48.9", date(2015, 1, 1))
    denied = note(DAY, "no ictus", ("ictus", "stroke", {"negated": True}))
    assert prevent_inputs(timeline(DAY, [denied], [fibrillation]), TABLE).prior_disease == ()


def test_prevent_refuses_reduced_ejection_fraction_and_heart_failure(timeline, event, note):
    low = _measured(note, DAY, lvef=35.0)
    assert prevent_inputs(timeline(DAY, [low]), TABLE).prior_disease == ("lvef",)
    coded = event("condition", "icd10", "I50.9", date(2020, 1, 1))
    assert "heart_failure" in prevent_inputs(timeline(DAY, events=[coded]), TABLE).prior_disease


@pytest.mark.parametrize(
    ("marks", "smokes"),
    [
        ([(30, "current_smoker", {})], True),
        ([(30, "current_smoker", {"historical": True})], False),
        ([(300, "current_smoker", {}), (30, "former_smoker", {})], False),
        ([(300, "former_smoker", {}), (30, "current_smoker", {})], True),
        ([(900, "current_smoker", {})], False),
        ([(30, "current_smoker", {"negated": True})], False),
    ],
)
def test_prevent_smoker_is_what_was_said_last(timeline, note, marks, smokes):
    notes = [note(DAY - timedelta(days), key, (key, key, flags)) for days, key, flags in marks]
    assert prevent_inputs(timeline(DAY, notes), TABLE).smoker is smokes
