"""Values that no body has, and changes that no body makes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.risk.diagnosis import find_diagnosis
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import feature_row
from clinical_nlp.risk.plausibility import Measured, doubtful, limited_concepts, plausibility
from clinical_nlp.risk.sentences import missing_sentences
from clinical_nlp.risk.timeline_builder import build_timeline

DAY = date(2024, 6, 1)
TABLE = load_features()
WEIGHT, HEIGHT, BMI, SYSTOLIC = "29463-7", "8302-2", "39156-5", "8480-6"
UNITS = {WEIGHT: "kg", HEIGHT: "cm", BMI: "kg/m2", SYSTOLIC: "mm[Hg]"}


def series(concept, *values, age=60.0):
    """Numbers of the doubtful of ``(days after the first, value)``."""
    first = date(2022, 1, 10)
    items = [Measured(first + timedelta(days), value, age) for days, value in values]
    return sorted(doubtful(concept, items))


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ([(0, 70), (60, 152)], [0, 1]),  # of two nobody can tell
        ([(0, 70), (60, 152), (90, 71)], [1]),
        ([(0, 70), (60, 71), (120, 153)], [2]),
        ([(0, 152), (60, 70), (120, 71)], [0]),
        ([(0, 70), (60, 7.1), (120, 71)], [1]),
        ([(0, 70), (60, 170), (60, 170), (90, 71), (200, 72)], [1, 2]),  # note and laboratory
        ([(0, 80), (30, 162), (60, 81), (90, 160)], [0, 1, 2, 3]),  # two people in one record
        ([(0, 70), (0, 170)], [0, 1]),
        ([(0, 70), (0, 71)], []),
        ([(0, 90), (10, 76)], []),  # decompensation: 14 kg of water in ten days
        ([(0, 140), (182, 105), (365, 92)], []),  # bariatric surgery
        ([(0, 68), (200, 54), (400, 46)], []),  # cachexia
        ([(0, 60), (240, 76), (270, 66)], []),  # a pregnancy
        ([(0, 70), (3000, 120)], []),  # years
        ([(0, 70)], []),
        ([], []),
    ],
)
def test_weight_that_jumps_is_doubtful(values, wrong):
    assert series("body_weight", *values) == wrong


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ([(0, 165), (700, 145)], [0, 1]),
        ([(0, 165), (700, 145), (800, 164)], [1]),
        ([(0, 165), (30, 161)], []),  # shoes
        ([(0, 165), (7300, 156)], []),  # twenty years
        ([(0, 165), (7300, 145)], [0, 1]),
        ([(0, 165), (10, 16.5)], [1]),
        ([(0, 165), (10, 265)], [1]),
    ],
)
def test_height_that_jumps_is_doubtful(values, wrong):
    assert series("body_height", *values) == wrong


def test_limits_depend_on_age():
    assert series("body_height", (0, 120), (700, 140), age=10.0) == []  # a child grows
    assert series("body_weight", (0, 12), age=2.0) == []
    assert series("body_weight", (0, 12), age=50.0) == [0]
    assert series("body_weight", (0, 12), age=None) == [0]


@pytest.mark.parametrize("concept", ["nt_probnp", "creatinine", "egfr", "hemoglobin", "sodium"])
def test_what_a_disease_does_in_hours_has_no_limit(concept):
    assert series(concept, (0, 1.0), (1, 20.0)) == []


@pytest.mark.parametrize(
    ("concept", "value", "wrong"),
    [("lvef", 2, True), ("lvef", 15, False), ("lvef", 97, True), ("systolic_bp", 30, True),
     ("systolic_bp", 245, False), ("diastolic_bp", 8, True), ("bmi", 8, True), ("bmi", 62, False)],
)  # fmt: skip
def test_value_that_no_body_has_is_doubtful(concept, value, wrong):
    assert series(concept, (0, value)) == ([0] if wrong else [])


def test_data_name_concepts_of_the_lexicon_and_have_reasons():
    rules = plausibility()
    assert limited_concepts() <= load_lexicon().concepts.keys()
    assert limited_concepts() == rules["names"].keys()
    assert all(row["reason"] for kind in ("range", "change") for row in rules[kind])


@given(
    steps=st.lists(
        st.tuples(st.integers(20, 200), st.floats(-0.05, 0.05)), min_size=2, max_size=30
    ),
    place=st.integers(0, 29),
    factor=st.sampled_from([0.1, 0.45, 2.2, 3.0]),
)
def test_one_wrong_weight_among_steady_ones_is_found(steps, place, factor):
    day, weight, values = 0, 75.0, []
    for days, change in steps:
        day, weight = day + days, min(110.0, max(55.0, weight * (1 + change)))
        values.append((day, weight))
    assert series("body_weight", *values) == []
    place %= len(values)
    values[place] = (values[place][0], values[place][1] * factor)
    found = series("body_weight", *values)
    assert place in found
    if len(values) > 4:
        assert found == [place]


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(25, 300)), max_size=40))
def test_doubts_leave_no_jump_and_no_lonely_value(pairs):
    days, values = 0, []
    for gap, value in pairs:
        days += gap
        values.append((days, value))
    wrong = set(series("body_weight", *values))
    left = [item for n, item in enumerate(values) if n not in wrong]
    assert series("body_weight", *left) == []
    assert not left or len(left) >= len(wrong)


# --- in a patient -------------------------------------------------------------------------------


def observed(event, code, day, value):
    return event("observation", "loinc", code, day, value=float(value), unit=UNITS[code])


def features(line):
    return dict(zip(TABLE.names, feature_row(line, TABLE), strict=True))


def test_doubtful_value_is_kept_and_given_to_no_model(timeline, event):
    first, second = date(2024, 1, 10), date(2024, 3, 11)
    events = [observed(event, WEIGHT, first, 70), observed(event, WEIGHT, second, 152)]
    line = timeline(DAY, events=events)
    assert [(d.entry.value, d.cause.kind) for d in line.doubts] == [(70, "change"), (152, "change")]
    assert line.entries == () and line.contact_days == (first, second)
    assert features(line)["weight_missing"] == 1 and features(line)["weight_trend"] == 0
    missing = missing_sentences(line, find_diagnosis(line), TABLE)
    assert missing[0] == (
        "valor dudoso que no se ha usado: peso 152 kg (11/03/2024), +82 kg en 2 meses"
    )
    assert not any("sin tensión arterial, peso" in sentence for sentence in missing)


def test_value_computed_from_a_doubtful_one_is_doubtful(timeline, event):
    events = [
        observed(event, WEIGHT, date(2024, 1, 10), 70),
        observed(event, WEIGHT, date(2024, 3, 11), 152),
        observed(event, BMI, date(2024, 3, 11), 59.4),
        observed(event, WEIGHT, date(2024, 4, 11), 71),
        observed(event, SYSTOLIC, date(2024, 3, 11), 130),
    ]
    line = timeline(DAY, events=events)
    assert [(d.entry.concept, d.cause.kind) for d in line.doubts] == [
        ("bmi", "derived"),
        ("body_weight", "change"),
    ]
    assert [e.concept for e in line.entries] == ["body_weight", "systolic_bp", "body_weight"]


def test_value_said_in_notes_and_coded_counts_once(timeline, event, note):
    """The typing error is in the note and in the chart: two values of a day are one witness."""
    day = date(2024, 3, 11)
    said = note(day, "Peso 152 kg.", ("152", "body_weight", {"value": 152.0, "unit": "kg"}))
    events = [observed(event, WEIGHT, day, 152), observed(event, WEIGHT, date(2024, 1, 10), 70),
              observed(event, WEIGHT, date(2023, 9, 10), 71)]  # fmt: skip
    line = timeline(DAY, [said], events)
    assert [d.entry.value for d in line.doubts] == [152, 152]


def test_old_doubt_is_not_told(timeline, event):
    events = [observed(event, HEIGHT, date(2010, 1, 10), 16)]
    line = timeline(DAY, events=events)
    assert len(line.doubts) == 1
    told = missing_sentences(line, find_diagnosis(line), TABLE)
    assert not any("dudoso" in sentence for sentence in told)


def test_impossible_ejection_fraction_supports_no_diagnosis(timeline, note):
    named = note(
        date(2024, 1, 9), "Insuficiencia cardíaca.", ("Insuficiencia cardíaca", "heart_failure", {})
    )
    value = {"value": 3.0, "unit": "%"}
    line = timeline(DAY, [named, note(date(2024, 2, 9), "FEVI 3.", ("FEVI 3", "lvef", value))])
    assert not find_diagnosis(line).confirmed


@given(
    weights=st.lists(st.tuples(st.integers(-700, 0), st.floats(20, 260)), max_size=7),
    cut=st.integers(-700, 0),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_cut_timeline_doubts_what_one_built_on_that_day_does(
    timeline, lexicon, record, event, weights, cut
):
    """A later value must not decide on a training example's features."""
    events = [observed(event, WEIGHT, DAY + timedelta(days), value) for days, value in weights]
    day = DAY + timedelta(days=cut)
    built = build_timeline(record(*events), [], lexicon, day)
    assert timeline(DAY, events=events).until(day) == built
