"""What is recognised of an export's codes, without revealing who has them."""

from __future__ import annotations

import json

import pytest

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import CodedEvent, Coding, EventKind
from clinical_nlp.risk.code_report import SMALLEST, remedy, report_codes

CIE10 = "urn:oid:2.16.724.4.21.5.29"
LOCAL = "http://hospital.example/diagnosticos"


def events(system: str, code: str, patients: int, display: str | None = None, each: int = 1):
    coding = Coding(system, code, display)
    for number in range(patients):
        for _ in range(each):
            yield f"p{number}", CodedEvent(EventKind.CONDITION, "Condition/1", (coding,))


def report(*parts) -> dict:
    return report_codes([event for part in parts for event in part], load_lexicon())


def test_report_tells_recognised_unmapped_and_unknown_apart():
    found = report(
        events(CIE10, "i50.9 ", 6), events(CIE10, "S93.4", 7), events(LOCAL, "DX-100", 8)
    )
    assert found["kinds"]["condition"] == {
        "events": 21, "recognised": 6, "unmapped": 7, "unknown": 8, "words": 0,
    }  # fmt: skip
    assert found["systems"] == [
        {"kind": "condition", "system": LOCAL, "events": 8, "recognised": 0},
        {"kind": "condition", "system": "icd10", "events": 13, "recognised": 6},
    ]
    assert [row["code"] for row in found["unrecognised"]] == ["DX-100", "S93.4"]
    assert found["heart_failure"] == {"icd10": 6}
    assert "8 of 21" in str(remedy(found))


def test_report_names_no_code_of_few_patients_however_often():
    found = report(events(LOCAL, "María-1950", SMALLEST - 1, each=30))
    assert found["unrecognised"] == found["systems"] == []
    assert found["suppressed"] == {"codes": 1, "events": 30 * (SMALLEST - 1)}
    assert "María" not in str(found)


def test_report_names_no_display_of_few_patients():
    rare = events(LOCAL, "DX", 1, "Fibrilación de D. Juan")
    common = events(LOCAL, "DX", SMALLEST, "Fibrilación")
    (row,) = report(rare, common)["unrecognised"]
    assert row["display"] == "Fibrilación"
    (row,) = report(rare, events(LOCAL, "DX", SMALLEST))["unrecognised"]
    assert row["display"] is None


@pytest.mark.parametrize("kind", [EventKind.ENCOUNTER, EventKind.FAMILY_HISTORY])
def test_report_leaves_out_what_the_timeline_does_not_read(kind):
    event = CodedEvent(kind, "Encounter/1", (Coding(LOCAL, "x"),))
    found = report([("p", event)])
    assert all(counts["events"] == 0 for counts in found["kinds"].values())
    assert remedy(found) is None


def test_words_alone_are_counted_and_never_shown():
    events = [
        (
            f"p{n}",
            CodedEvent(EventKind.CONDITION, f"Condition/{n}", (Coding("", "", "Cae en casa"),)),
        )
        for n in range(9)
    ]
    report = report_codes(events, load_lexicon())
    assert report["kinds"]["condition"]["words"] == 9
    assert "Cae en casa" not in json.dumps(report)
