"""The NT-proBNP rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.records import Evidence
from clinical_nlp.risk.published import NtProBnpClass, nt_probnp_rule, peptide_class
from clinical_nlp.risk.timeline import Entry, Origin, Presence

DAY = date(2024, 6, 1)


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
