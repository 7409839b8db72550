"""The ARIC heart failure risk score."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import pytest

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.published import AricInputs, RefusalCode, aric_hf, aric_inputs

DAY = date(2024, 6, 1)
MAN = AricInputs(Sex.MALE, 60, 70, 130, 28)


def test_aric_hf_reproduces_its_equation():
    """Summed by hand from Table 2 of Agarwal et al. 2012."""
    assert aric_hf(MAN).log_hazard == pytest.approx(10.154)
    woman = AricInputs(
        Sex.FEMALE, 75, 80, 150, 32, 400.0, diabetes=True, coronary_disease=True,
        former_smoker=True, treated=True,
    )  # fmt: skip
    clinical = 6.975 + 2.08 + 1.2 + 0.338 + 0.672 + 1.084 + 0.360 + 1.728
    assert aric_hf(woman).log_hazard == pytest.approx(clinical)
    with_peptide = 5.1 + 2.08 + 0.3 + 0.229 + 0.763 + 0.677 + 0.329 + 1.888
    result = aric_hf(woman, with_nt_probnp=True).log_hazard
    assert result == pytest.approx(with_peptide + 0.574 * math.log(400))


def test_aric_hf_counts_current_smoking_once():
    smoker = replace(MAN, smoker=True)
    assert aric_hf(replace(smoker, former_smoker=True)) == aric_hf(smoker)
    assert aric_hf(smoker).log_hazard - aric_hf(MAN).log_hazard == pytest.approx(0.976)


@pytest.mark.parametrize("item", ["age", "heart_rate", "systolic_bp", "bmi"])
def test_aric_hf_without_an_input_says_which(item):
    result = aric_hf(replace(MAN, **{item: None}))
    assert result.log_hazard is None
    assert [(r.code, r.item) for r in result.why_not] == [(RefusalCode.MISSING, item)]


def test_aric_hf_needs_nt_probnp_only_where_asked():
    assert aric_hf(MAN).log_hazard is not None
    assert [r.item for r in aric_hf(MAN, with_nt_probnp=True).why_not] == ["nt_probnp"]
    assert [r.item for r in aric_hf(replace(MAN, sex=Sex.UNKNOWN)).why_not] == ["sex"]


def test_aric_inputs_come_from_notes_and_codes(timeline, note, event):
    marks = [("FC 72", "heart_rate", {"value": 72.0}), ("exfumadora", "former_smoker", {})]
    noted = note(DAY - timedelta(30), "FC 72, exfumadora", *marks)
    coded = event("condition", "icd10", "I25.9", date(2015, 1, 1))
    found = aric_inputs(timeline(DAY, [noted], [coded]), load_features())
    assert found == AricInputs(
        Sex.FEMALE, 80, 72.0, None, None, coronary_disease=True, former_smoker=True
    )
