"""Recall of coded evidence."""

import pytest

from clinical_nlp.evaluation.coded_evidence import (
    coded_case,
    families,
    family,
    found_in,
    recall,
    recall_all,
)
from clinical_nlp.evaluation.splits import Half
from clinical_nlp.lexicon import load_lexicon

_ROW = {
    "id": "case-1",
    "text": "Disnea. HTA. Rx tórax. Fiebre.",
    "codes": [
        {"kind": "DIAGNOSTICO", "code": "R06.00", "fragments": [[0, 6]]},
        {"kind": "DIAGNOSTICO", "code": "i10", "fragments": [[8, 11]]},
        {"kind": "DIAGNOSTICO", "code": "R50.9", "fragments": [[23, 29]]},
        {"kind": "PROCEDIMIENTO", "code": "BW03ZZZ", "fragments": [[13, 21]]},
    ],
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [("I50.23", "I50"), ("I10", "I10"), ("R06.02", "R06.0"), ("R42", "R42"), ("Z95.5", "Z95.5")],
)
def test_family_shortens_code(code: str, expected: str) -> None:
    assert family(code) == expected


def test_found_in_counts_evidence_of_catalogue_only() -> None:
    concepts_of = families(load_lexicon().concepts.values())
    case = coded_case(_ROW)
    found = [(0, 6, "dyspnea"), (8, 11, "anemia")]
    assert found_in(case, found, concepts_of) == {"R06.0": (1, 1), "I10": (0, 1)}


def test_found_in_finding_elsewhere_does_not_count() -> None:
    concepts_of = families(load_lexicon().concepts.values())
    counts = found_in(coded_case(_ROW), [(13, 21, "dyspnea")], concepts_of)
    assert counts["R06.0"] == (0, 1)


def test_recall_pools_cases_within_interval() -> None:
    result = recall([(1, 1), (0, 1), (2, 2)])
    assert (result.found, result.gold) == (3, 4)
    assert result.low <= result.recall == 0.75 <= result.high
    assert recall([]).gold == 0


def test_recall_all_starts_with_all_then_most_frequent() -> None:
    rows = recall_all([{"I10": (1, 1)}, {"R42": (0, 2)}])
    assert list(rows) == ["all", "R42", "I10"]
    assert rows["all"].gold == 3


def test_half_tune_and_report_partition_cases() -> None:
    ids = [f"case-{n}" for n in range(60)]
    assert all(Half.TUNE.holds(i) != Half.REPORT.holds(i) and Half.ALL.holds(i) for i in ids)
    assert 10 < sum(Half.TUNE.holds(i) for i in ids) < 50
