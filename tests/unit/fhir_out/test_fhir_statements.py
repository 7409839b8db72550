"""What a note says, however it says it, becomes the right resource, or none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clinical_nlp.records import FLAGS, Concept, Finding, Note
from fhir_adapters.writing.elements import Json
from fhir_adapters.writing.family import family_history, is_family_history
from fhir_adapters.writing.grouping import statements
from fhir_adapters.writing.observation import is_observed, observation
from fhir_adapters.writing.source_note import SourceNote
from fhir_adapters.writing.urls import DERIVATION_REFERENCE, CanonicalUrls
from fhir_adapters.writing.vocabulary import load_vocabulary

CANON = CanonicalUrls()
WORDS = load_vocabulary()
VALUES = CANON.code_system("hf-finding-value")
SYMPTOM = Concept(
    "dyspnea",
    "symptom",
    {"es": "disnea"},
    {"snomed": "267036007", "icd10": "R06.0", "icpc2": "R02"},
    {"snomed": "verified", "icd10": "verified+cie10es", "icpc2": "recalled"},
)
LVEF = Concept(
    "lvef", "measurement", {"es": "FEVI"}, {"loinc": "10230-1"}, {"loinc": "verified"}, "%"
)
NOTE = Note("DocumentReference/n", "p", "x" * 100, datetime(2024, 5, 2, 9, tzinfo=UTC))


def write(finding: Finding, concept: Concept = SYMPTOM, note: Note = NOTE) -> Json:
    (statement,) = statements([finding])
    source = SourceNote.of(note, CANON)
    device = {"reference": "Device/d"}
    return observation(statement, source, concept, WORDS, CANON, device, {}).body


def codes(element: Json) -> set[tuple[str, str]]:
    return {(c["system"], c["code"]) for c in element["coding"]}


def said(**flags: Any) -> Finding:
    return Finding(0, 6, "disnea", "dyspnea", **flags)


@pytest.mark.parametrize(
    ("flags", "own", "snomed"),
    [
        ((), "present", "52101004"),
        (("negated",), "absent", "2667000"),
        (("uncertain",), "uncertain", "415684004"),
        (("negated", "uncertain"), "uncertain-absent", None),
        (("historical",), "past", "410513005"),
        (("negated", "historical"), "past-absent", None),
        (("uncertain", "historical"), "past-uncertain", None),
        (("negated", "uncertain", "historical"), "past-uncertain-absent", None),
    ],
)
def test_the_value_says_what_the_note_says(
    flags: tuple[str, ...], own: str, snomed: str | None
) -> None:
    made = write(said(**dict.fromkeys(flags, True)))
    wanted = {(VALUES, own)} | ({("http://snomed.info/sct", snomed)} if snomed else set())
    assert codes(made["valueCodeableConcept"]) == wanted
    told = [e["valueCoding"]["code"] for e in made.get("extension", [])]
    assert told == [flag for flag in FLAGS if flag in flags]


def test_neither_a_suspicion_nor_the_past_looks_present_or_absent() -> None:
    plain = {"52101004", "2667000"}
    for flags in ({"uncertain": True}, {"historical": True}, {"uncertain": True, "negated": True}):
        value = write(said(**flags))["valueCodeableConcept"]
        assert plain.isdisjoint(code for _, code in codes(value))


@pytest.mark.parametrize("flag", ["family", "hypothetical"])
def test_nothing_is_observed_of_relatives_or_of_what_might_be(flag: str) -> None:
    assert not is_observed(said(**{flag: True}))


@pytest.mark.parametrize(
    ("flags", "written"),
    [
        ({}, True),
        ({"uncertain": True}, True),
        ({"historical": True}, True),
        ({"negated": True}, False),
        ({"hypothetical": True}, False),
    ],
)
def test_a_relatives_condition_is_family_history(flags: dict[str, bool], written: bool) -> None:
    assert is_family_history(said(family=True, **flags), SYMPTOM, WORDS) is written


def test_a_relatives_measurement_is_no_condition() -> None:
    assert not is_family_history(Finding(0, 1, "3", "lvef", family=True), LVEF, WORDS)


@pytest.mark.parametrize(
    ("relation", "code", "text"),
    [("FTH", "FTH", "padre"), (None, "FAMMEMB", "familiar"), ("XYZ", "FAMMEMB", "familiar")],
)
def test_the_relative_is_as_said(relation: str | None, code: str, text: str) -> None:
    (statement,) = statements([said(family=True, relation=relation)])
    source = SourceNote.of(NOTE, CANON)
    made = family_history(statement, source, SYMPTOM, WORDS, CANON, {}).body
    assert made["relationship"]["coding"][0]["code"] == code
    assert made["relationship"]["text"] == text
    assert made["status"] == "partial"
    assert made["condition"][0]["code"]["text"] == "disnea"


def test_only_verified_codes_are_written_and_the_text_always() -> None:
    code = write(said())["code"]
    assert ("http://snomed.info/sct", "267036007") in codes(code)
    assert ("http://hl7.org/fhir/sid/icd-10-cm", "R06.0") in codes(code)
    assert "http://hl7.org/fhir/sid/icpc-2" not in {system for system, _ in codes(code)}
    assert code["text"] == "disnea"


def test_a_label_outside_the_catalogue_has_its_text_alone() -> None:
    made = write(said(), Concept("novel", "", {}))
    assert made["code"] == {"text": "novel"}
    assert "category" not in made


def number(**more: Any) -> Json:
    return write(Finding(0, 2, "37", "lvef", **more), LVEF)


def test_numbers_ranges_and_bounds() -> None:
    percent = {"unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
    assert number(value=37.0)["valueQuantity"] == {"value": 37, **percent}
    assert number(value=60.0, comparator=">")["valueQuantity"] == {
        "value": 60,
        "comparator": ">",
        **percent,
    }
    assert number(value=37.5, low=35.0, high=40.0)["valueRange"] == {
        "low": {"value": 35, **percent},
        "high": {"value": 40, **percent},
    }


def test_the_unit_of_the_note_wins() -> None:
    assert number(value=1.0, unit="mg")["valueQuantity"]["code"] == "mg"


@pytest.mark.parametrize(
    "more", [{}, {"value": 37.0, "negated": True}, {"value": float("nan")}, {"negated": True}]
)
def test_a_measurement_without_a_value_is_never_present_or_absent(more: dict[str, Any]) -> None:
    made = number(**more)
    assert made["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert not any(key.startswith("value") for key in made)


def test_a_finding_is_dated_as_its_note() -> None:
    assert write(said())["effectiveDateTime"] == "2024-05-02T09:00:00+00:00"


def test_a_number_of_the_past_is_older_than_the_note() -> None:
    made = number(value=55.0, historical=True)
    assert made["effectivePeriod"] == {"end": "2024-05-02T09:00:00+00:00"}
    assert "effectiveDateTime" not in made


def test_an_undated_note_says_so() -> None:
    made = write(said(), note=Note("DocumentReference/n", "p", "disnea"))
    assert made["_effectiveDateTime"]["extension"][0]["valueCode"] == "unknown"


def places(element: Json) -> list[tuple[int, int]]:
    found = []
    for extension in element["extension"]:
        if extension["url"] == DERIVATION_REFERENCE:
            parts = {e["url"]: e.get("valueInteger") for e in extension["extension"]}
            found.append((parts["offset"], parts["length"]))
    return found


def test_offsets_count_code_points_and_not_utf16_units() -> None:
    text = "🫀😮‍💨 Disnea"  # two emoji outside the BMP, one of them joined
    start = text.index("Disnea")
    note = Note("DocumentReference/n", "p", text)
    made = write(Finding(start, len(text), "Disnea", "dyspnea"), note=note)
    ((offset, length),) = places(made["derivedFrom"][0])
    assert text[offset : offset + length] == "Disnea"
    units = text.encode("utf-16-le")
    assert units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace") != "Disnea"


def test_the_text_that_offsets_are_true_for_is_recorded() -> None:
    made = write(said())
    assert NOTE.sha256 in [e.get("valueString") for e in made["derivedFrom"][0]["extension"]]


@pytest.mark.parametrize("source", ["Composition/c", "DiagnosticReport/d"])
def test_a_source_that_r4_does_not_allow_is_named_by_the_extension(source: str) -> None:
    made = write(said(), note=Note(source, "p", "disnea"))
    assert "derivedFrom" not in made
    assert places(made) == [(0, 6)]
    named = [
        p for e in made["extension"] for p in e.get("extension", []) if p["url"] == "reference"
    ]
    assert named[0]["valueReference"] == {"reference": source}


def test_said_twice_is_one_statement_at_two_places() -> None:
    first, second = said(), Finding(20, 26, "Disnea", "dyspnea")
    (statement,) = statements([second, first])
    assert statement.spans == ((0, 6), (20, 26))


@pytest.mark.parametrize(
    "other",
    [
        Finding(20, 26, "disnea", "dyspnea", negated=True),
        Finding(20, 26, "disnea", "dyspnea", value=1.0),
        Finding(20, 26, "disnea", "dyspnea", comparator=">"),
        Finding(20, 26, "disnea", "orthopnea"),
    ],
)
def test_another_meaning_is_another_statement(other: Finding) -> None:
    assert len(statements([said(), other])) == 2


def test_a_relation_without_a_family_flag_does_not_split() -> None:
    assert len(statements([said(), Finding(9, 15, "disnea", "dyspnea", relation="FTH")])) == 1


def test_every_flag_and_category_has_its_words() -> None:
    assert set(WORDS.flags) == set(FLAGS)
    assert set(WORDS.statuses) == {"scored", "diagnosed", "abstained"}
    assert "FAMMEMB" in WORDS.relatives
