"""An export that was cut does not replace a full night."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.batch.completeness import (
    MOST_DROP,
    SMALLEST_DROP,
    CompletenessGate,
    Contents,
    check,
    compare,
    read_contents,
)
from clinical_nlp.errors import IncompleteExportError
from clinical_nlp.records import SourceSummary, TypeCounts

FULL = Contents({"patients": 300, "notes": 3600, "Observation": 7900, "Procedure": 8}, 0.01, "D")


def now(quarantined=0.01, **counts):
    return Contents({**FULL.counts, **counts}, quarantined)


@pytest.mark.parametrize(
    ("contents", "named"),
    [
        (now(patients=33), "patients 300 -> 33"),
        (now(notes=2300), "notes 3,600 -> 2,300"),
        (now(Observation=0), "Observation 7,900 -> 0"),
        (now(Procedure=0), "Procedure 8 -> 0"),
        (now(quarantined=0.2), "in quarantine 1.0% -> 20.0%"),
    ],
)
def test_export_that_holds_far_less_stops(contents, named):
    with pytest.raises(IncompleteExportError) as caught:
        check(compare(FULL, contents))
    assert caught.value.exit_code == 9 and named in str(caught.value)
    assert "--accept-drop" in str(caught.value)


@pytest.mark.parametrize(
    "contents",
    [now(), now(patients=290), now(Procedure=4), now(notes=9000), now(quarantined=0.10)],
)
def test_small_falls_and_growth_go_on(contents):
    check(compare(FULL, contents))


def test_first_night_has_nothing_to_be_compared_with():
    assert compare(None, now(patients=1)).is_whole


def test_type_without_a_single_resource_left_counts_as_fallen():
    without = Contents({k: v for k, v in FULL.counts.items() if k != "Observation"}, 0.01)
    assert compare(FULL, without).drops == {"Observation": (7900, 0)}


@given(before=st.integers(0, 10_000), after=st.integers(0, 10_000))
def test_only_falls_beyond_both_limits_stop(before, after):
    earlier, later = Contents({"notes": before}, 0.0), Contents({"notes": after}, 0.0)
    fell = before - after
    expected = fell >= SMALLEST_DROP and fell > MOST_DROP * before
    assert compare(earlier, later).is_whole is not expected


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"input": null}', '{"input": {"types": []}}'])
def test_record_that_cannot_be_read_stops_no_night(tmp_path, text):
    path = tmp_path / "run.json"
    path.write_text(text)
    assert read_contents(path) is None and read_contents(tmp_path / "none.json") is None


def test_accepted_drop_is_recorded(tmp_path):
    path = tmp_path / "run.json"
    types = {"Patient": {"used": 300, "quarantined": 0}}
    given = {"types": types, "patients": 300, "notes": 100, "lines": 300}
    path.write_text(json.dumps({"as_of": "2024-12-31", "input": given}))
    counts = {"Patient": TypeCounts(30, 30)}
    summary = SourceSummary(counts, 30, 30, 100, date(2025, 1, 1), "ee" * 32)
    with pytest.raises(IncompleteExportError, match="E297"):
        CompletenessGate(path, accept_drop=False).check(summary)
    gate = CompletenessGate(path, accept_drop=True)
    gate.check(summary)
    said = gate.to_json()
    assert said["drop_accepted"] and said["compared_with"] == "2024-12-31"
    assert said["drops"] == {"Patient": [300, 30], "patients": [300, 30]}
