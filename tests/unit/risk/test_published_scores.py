from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.records import Evidence, Sex
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.published import (
    NtProBnpClass,
    PreventInputs,
    framingham,
    nt_probnp_rule,
    peptide_class,
    prevent_hf,
    prevent_inputs,
)
from clinical_nlp.risk.timeline import Entry, Origin, Presence

DAY = date(2024, 6, 1)
WOMAN = PreventInputs(Sex.FEMALE, 50, 160, 35, 90, diabetes=True, treated=True)


def test_prevent_hf_reproduces_published_example():
    """Khan et al. 2024: 8.1% over 10 years and 39% over 30."""
    assert prevent_hf(WOMAN).probability == pytest.approx(0.081, abs=0.0005)
    assert prevent_hf(WOMAN, 30).probability == pytest.approx(0.39, abs=0.005)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"age": 80}, "edad fuera"),
        ({"age": 29}, "edad fuera"),
        ({"systolic_bp": 185}, "tensión sistólica fuera"),
        ({"bmi": 40}, "IMC fuera de los límites de PREVENT (18,5 a 39,9)"),
        ({"egfr": 14}, "filtrado glomerular fuera"),
        ({"egfr": None}, "necesita filtrado"),
        ({"sex": Sex.UNKNOWN}, "necesita el sexo"),
    ],
)
def test_prevent_hf_outside_limits_returns_reason_without_probability(change, words):
    result = prevent_hf(replace(WOMAN, **change))
    assert result.probability is None
    assert any(words in reason for reason in result.why_not)


def test_prevent_hf_thirty_years_is_limited_to_age_59():
    assert prevent_hf(replace(WOMAN, age=60), 30).probability is None
    assert prevent_hf(replace(WOMAN, age=60)).probability is not None


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
    found = prevent_inputs(line, load_features())
    assert found == PreventInputs(Sex.FEMALE, 80, 160.0, 35.0, None, True, False, True)


def _marks(*concepts):
    return [(key, key, {}) for key in concepts]


@pytest.mark.parametrize(
    ("concepts", "met"),
    [
        (["orthopnea", "paroxysmal_nocturnal_dyspnea"], False),  # one criterion
        (["orthopnea", "crackles"], True),
        (["crackles", "ankle_edema", "lower_limb_edema"], False),  # oedema counts once
        (["crackles", "ankle_edema", "dyspnea_on_exertion"], True),
        (["ankle_edema", "dyspnea_on_exertion", "nocturnal_cough"], False),
    ],
)
def test_framingham_counts_each_criterion_once(timeline, note, lexicon, concepts, met):
    line = timeline(DAY, [note(DAY, " ".join(concepts), *_marks(*concepts))])
    assert framingham(line, lexicon.concepts).met is met


def test_framingham_ignores_denied_and_old_signs(timeline, note, lexicon):
    denied = note(DAY, "crackles", ("crackles", "crackles", {"negated": True}))
    old = note(DAY - timedelta(400), "orthopnea", *_marks("orthopnea"))
    result = framingham(timeline(DAY, [denied, old]), lexicon.concepts)
    assert not result.major and not result.minor


def test_framingham_heart_rate_from_120_is_minor_criterion(timeline, note, lexicon):
    fast = note(DAY, "FC 124", ("124", "heart_rate", {"value": 124.0}))
    slow = note(DAY - timedelta(1), "FC 84", ("84", "heart_rate", {"value": 84.0}))
    result = framingham(timeline(DAY, [fast, slow]), lexicon.concepts)
    assert list(result.minor) == ["tachycardia"]
    assert [e.source for e in result.minor["tachycardia"]] == [fast.note.key]


def test_framingham_every_catalogue_criterion_has_group(lexicon):
    from clinical_nlp.risk.published.framingham import _criteria

    marked = {key for key, c in lexicon.concepts.items() if c.framingham != "none"}
    assert marked <= _criteria().keys()


@pytest.mark.parametrize(
    ("birth", "value", "expected"),
    [
        (date(1980, 1, 1), 124.0, NtProBnpClass.RULED_OUT),
        (date(1980, 1, 1), 125.0, NtProBnpClass.LIKELY),
        (date(1964, 1, 1), 125.0, NtProBnpClass.BETWEEN),
        (date(1964, 1, 1), 250.0, NtProBnpClass.LIKELY),
        (date(1944, 1, 1), 499.0, NtProBnpClass.BETWEEN),
        (date(1944, 1, 1), 500.0, NtProBnpClass.LIKELY),
        (date(1944, 1, 1), 2000.0, NtProBnpClass.HIGH),
    ],
)
def test_nt_probnp_rule_thresholds_depend_on_age(timeline, event, birth, value, expected):
    seen = event("observation", "loinc", "33762-6", date(2024, 3, 12), value=value, unit="pg/mL")
    result = nt_probnp_rule(replace(timeline(DAY, events=[seen]), birth_date=birth))
    assert result.outcome is expected
    assert result.evidence.source == seen.source


def test_nt_probnp_rule_below_the_threshold_is_ruled_out(timeline, event):
    """'<125' is no 125, and no grey zone."""
    line = replace(
        timeline(
            DAY,
            events=[
                event(
                    "observation",
                    "loinc",
                    "33762-6",
                    date(2024, 3, 12),
                    value=125.0,
                    unit="pg/mL",
                    comparator="<",
                )
            ],
        ),
        birth_date=date(1964, 1, 1),
    )
    assert nt_probnp_rule(line).outcome is NtProBnpClass.RULED_OUT


def test_nt_probnp_rule_without_recent_value_returns_none(timeline, event):
    old = event("observation", "loinc", "33762-6", date(2022, 3, 12), value=900.0, unit="pg/mL")
    for line in (timeline(DAY), timeline(DAY, events=[old])):
        assert nt_probnp_rule(line).outcome is NtProBnpClass.NONE


def _peptide(value, comparator=None, concept="nt_probnp", low=None, high=None):
    seen = Evidence("Observation/1", concept, DAY)
    return Entry(
        concept,
        DAY,
        DAY,
        Origin.STRUCTURED,
        Presence.PRESENT,
        seen,
        value=value,
        comparator=comparator,
        low=low,
        high=high,
    )


@pytest.mark.parametrize("age", [40, 60, 80, None])
def test_peptide_class_below_125_is_ruled_out_at_any_age(age):
    assert peptide_class(_peptide(125.0, "<"), age) is NtProBnpClass.RULED_OUT
    assert peptide_class(_peptide(100.0, "<="), age) is NtProBnpClass.RULED_OUT


@pytest.mark.parametrize(
    ("entry", "age", "expected"),
    [
        (_peptide(300.0, "<"), 60, NtProBnpClass.BETWEEN),
        (_peptide(125.0, "<="), 40, NtProBnpClass.BETWEEN),
        (_peptide(35000.0, ">"), 80, NtProBnpClass.HIGH),
        (_peptide(100.0, ">"), 80, NtProBnpClass.BETWEEN),
        (_peptide(600.0, ">"), 80, NtProBnpClass.LIKELY),
        (_peptide(450.0, low=400.0, high=500.0), 80, NtProBnpClass.BETWEEN),
        (_peptide(130.0, low=100.0, high=160.0), 40, NtProBnpClass.BETWEEN),
        (_peptide(22.0, concept="bnp"), 80, NtProBnpClass.RULED_OUT),
        (_peptide(60.0, concept="bnp"), 80, NtProBnpClass.BETWEEN),
        (_peptide(120.0, concept="bnp"), 80, NtProBnpClass.LIKELY),
        (_peptide(400.0, concept="bnp"), 40, NtProBnpClass.HIGH),
        (_peptide(499.0), None, NtProBnpClass.BETWEEN),
    ],
)
def test_peptide_class_honours_comparator_range_and_peptide(entry, age, expected):
    assert peptide_class(entry, age) is expected


_RANK = [
    NtProBnpClass.RULED_OUT,
    NtProBnpClass.BETWEEN,
    NtProBnpClass.LIKELY,
    NtProBnpClass.HIGH,
]


@given(
    values=st.tuples(st.floats(1, 50_000), st.floats(1, 50_000)),
    comparator=st.sampled_from([None, "<", "<=", ">", ">="]),
    age=st.one_of(st.none(), st.integers(18, 110)),
    concept=st.sampled_from(["nt_probnp", "bnp"]),
)
def test_peptide_class_rises_with_the_value_and_with_the_comparator(
    values, comparator, age, concept
):
    low, high = sorted(values)
    rank = [_RANK.index(peptide_class(_peptide(v, comparator, concept), age)) for v in (low, high)]
    assert rank[0] <= rank[1]
    by_comparator = [
        _RANK.index(peptide_class(_peptide(low, c, concept), age)) for c in ("<", None, ">")
    ]
    assert by_comparator == sorted(by_comparator)


@given(value=st.floats(1, 50_000), younger=st.integers(18, 110), older=st.integers(18, 110))
def test_peptide_class_never_rises_with_age(value, younger, older):
    younger, older = sorted((younger, older))
    assert _RANK.index(peptide_class(_peptide(value), older)) <= _RANK.index(
        peptide_class(_peptide(value), younger)
    )
