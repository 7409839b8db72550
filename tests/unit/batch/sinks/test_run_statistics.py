from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_nlp.batch.statistics import RunStatistics, histogram_edges, stance, summarise
from clinical_nlp.records import EstimateStatus, Finding
from clinical_nlp.risk.bands import load_bands


def test_statistics_of_small_run_match_hand_counts(context, make_result, make_suspected):
    statistics = RunStatistics(context)
    for result in (
        make_result("a", 0.2, interval=(0.02, 0.3)),
        make_result("b", 0.001, interval=(0.0005, 0.03)),
        make_result("c"),
        make_result("d", status=EstimateStatus.ABSTAINED, abstention="Sin edad."),
        make_result("e", 0.01, text="  ", findings=()),
        make_suspected("f", text="", findings=(), abstention="No es una abstención."),
    ):
        statistics.write(result)
    assert statistics.close() == {}
    assert statistics.patients == {
        "seen": 6,
        "with_notes": 6,
        "with_text": 4,
        "with_findings": 4,
        "scored": 3,
        "diagnosed": 1,
        "suspected": 1,
        "abstained": 1,
        "worklist": 2,
        "worklist_unsure": 1,
        "below_unsure": 1,
        "without_interval": 1,
    }
    assert summarise(statistics.patients) == (
        "6 patients: 1 suspected in writing without a conclusive test, 3 with an estimate (1 at "
        "or above the threshold), 1 with known heart failure, 1 on whom the model abstained"
    )
    assert statistics.abstentions == {"Sin edad.": 1}
    assert statistics.notes == {"seen": 6, "with_text": 4, "with_findings": 4}
    assert statistics.findings["seen"] == 16 and statistics.findings["affirmed"] == 8
    assert statistics.findings["family"] == statistics.findings["negated"] == 4
    assert statistics.findings["measured"] == 4
    assert statistics.concepts["dyspnea"] == {"affirmed": 4, "other": 4}
    assert statistics.bands == {"markedly_raised": 1, "low": 2}
    assert sum(statistics.histogram) == 3


@settings(max_examples=60)
@given(st.floats(0, 1))
def test_histogram_bin_of_probability_lies_in_its_band(probability):
    bands = load_bands()
    edges = histogram_edges(bands)
    index = min(
        next(
            i for i, (_, upper) in enumerate(pairwise(edges)) if probability < upper or upper == 1
        ),
        len(edges) - 2,
    )
    assert bands.of(probability) == bands.of(edges[index])


def test_histogram_edges_rise_and_include_band_bounds():
    edges = histogram_edges(load_bands())
    assert all(a < b for a, b in pairwise(edges)) and edges[0] == 0 and edges[-1] == 1
    assert {band.upper for band in load_bands()} <= set(edges)


@pytest.mark.parametrize(
    "said, expected",
    [
        ({}, "affirmed"),
        ({"negated": True}, "negated"),
        ({"negated": True, "historical": True}, "negated"),
        ({"negated": True, "family": True}, "other"),
        ({"uncertain": True}, "other"),
    ],
)
def test_stance_of_finding_is_affirmed_negated_or_other(said, expected):
    assert stance(replace(Finding(0, 1, "x", "c"), **said)) == expected
