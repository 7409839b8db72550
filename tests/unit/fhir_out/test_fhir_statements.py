"""Findings with every combination of flags as the right FHIR resource, or none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clinical_nlp.records import FLAGS, Concept, EstimateStatus, Finding, Note
from fhir_adapters.writing.elements import Json
from fhir_adapters.writing.grouping import statements
from fhir_adapters.writing.observation import (
    family_history,
    is_family_history,
    is_observed,
    observation,
)
from fhir_adapters.writing.source_note import SourceNote
from fhir_adapters.writing.urls import AI_CONFIDENCE_EXTENSION, DERIVATION_REFERENCE, CanonicalUrls
from fhir_adapters.writing.vocabulary import RunElements, load_vocabulary

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
    return observation(statement, source, concept, RunElements(WORDS, device, {}, {})).body


def codes(element: Json) -> set[tuple[str, str]]:
    return {(c["system"], c["code"]) for c in element["coding"]}


def finding(**flags: Any) -> Finding:
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
def test_observation_flags_set_value_and_extensions(
    flags: tuple[str, ...], own: str, snomed: str | None
) -> None:
    made = write(finding(**dict.fromkeys(flags, True)))
    expected = {(VALUES, own)} | ({("http://snomed.info/sct", snomed)} if snomed else set())
    assert codes(made["valueCodeableConcept"]) == expected
    flag_codes = [e["valueCoding"]["code"] for e in made.get("extension", [])]
    assert flag_codes == [flag for flag in FLAGS if flag in flags]


def test_observation_says_the_probability_of_the_reader() -> None:
    (said,) = write(finding(probability=0.5731, source="reader"))["extension"]
    assert said == {"url": AI_CONFIDENCE_EXTENSION, "valueDecimal": 0.5731}
    assert "extension" not in write(finding())


def test_observation_uncertain_or_past_is_neither_present_nor_absent() -> None:
    plain = {"52101004", "2667000"}
    for flags in ({"uncertain": True}, {"historical": True}, {"uncertain": True, "negated": True}):
        value = write(finding(**flags))["valueCodeableConcept"]
        assert plain.isdisjoint(code for _, code in codes(value))


@pytest.mark.parametrize("flag", ["family", "hypothetical"])
def test_is_observed_relative_or_hypothetical_is_false(flag: str) -> None:
    assert not is_observed(finding(**{flag: True}))


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
def test_is_family_history_condition_of_relative_is_true(
    flags: dict[str, bool], written: bool
) -> None:
    assert is_family_history(finding(family=True, **flags), SYMPTOM, WORDS) is written


def test_is_family_history_measurement_of_relative_is_false() -> None:
    assert not is_family_history(Finding(0, 1, "3", "lvef", family=True), LVEF, WORDS)


@pytest.mark.parametrize(
    ("relation", "code", "text"),
    [("FTH", "FTH", "padre"), (None, "FAMMEMB", "familiar"), ("XYZ", "FAMMEMB", "familiar")],
)
def test_family_history_names_relative(relation: str | None, code: str, text: str) -> None:
    (statement,) = statements([finding(family=True, relation=relation)])
    source = SourceNote.of(NOTE, CANON)
    made = family_history(statement, source, SYMPTOM, RunElements(WORDS, {}, {}, {})).body
    assert made["relationship"]["coding"][0]["code"] == code
    assert made["relationship"]["text"] == text
    assert made["status"] == "partial"
    assert made["condition"][0]["code"]["text"] == "disnea"


def test_observation_code_has_verified_codes_and_text() -> None:
    code = write(finding())["code"]
    assert ("http://snomed.info/sct", "267036007") in codes(code)
    assert ("http://hl7.org/fhir/sid/icd-10-cm", "R06.0") in codes(code)
    assert "http://hl7.org/fhir/sid/icpc-2" not in {system for system, _ in codes(code)}
    assert code["text"] == "disnea"


def test_observation_label_outside_catalogue_has_text_alone() -> None:
    made = write(finding(), Concept("novel", "", {}))
    assert made["code"] == {"text": "novel"}
    assert "category" not in made


def number(**more: Any) -> Json:
    return write(Finding(0, 2, "37", "lvef", **more), LVEF)


def test_observation_numbers_ranges_and_bounds_are_written() -> None:
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


def test_observation_unit_of_note_wins() -> None:
    assert number(value=1.0, unit="mg")["valueQuantity"]["code"] == "mg"


@pytest.mark.parametrize(
    "more", [{}, {"value": 37.0, "negated": True}, {"value": float("nan")}, {"negated": True}]
)
def test_observation_measurement_without_value_has_data_absent_reason(more: dict[str, Any]) -> None:
    made = number(**more)
    assert made["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert not any(key.startswith("value") for key in made)


def test_observation_is_dated_as_note() -> None:
    assert write(finding())["effectiveDateTime"] == "2024-05-02T09:00:00+00:00"


def test_observation_past_number_ends_at_note() -> None:
    made = number(value=55.0, historical=True)
    assert made["effectivePeriod"] == {"end": "2024-05-02T09:00:00+00:00"}
    assert "effectiveDateTime" not in made


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("2023", "2023"),
        ("2023-04", "2023-04"),
        ("2023-04-30", "2023-04-30"),
        ("--03-12", "2024-03-12"),
        ("--07-01", "2023-07-01"),
        ("--02", "2024-02"),
        ("2025-01-01", "2024-05-02T09:00:00+00:00"),  # after the note: mistyped
        ("--02-31", "2024-05-02T09:00:00+00:00"),  # no such day
    ],
)
def test_observation_value_with_its_own_day_is_dated_so(given: str, written: str) -> None:
    made = number(value=55.0, historical=True, measured_on=given)
    effective = made.get("effectiveDateTime") or made["effectivePeriod"]["end"]
    assert effective == written


def test_observation_of_undated_note_has_unknown_date() -> None:
    made = write(finding(), note=Note("DocumentReference/n", "p", "disnea"))
    assert made["_effectiveDateTime"]["extension"][0]["valueCode"] == "unknown"


def places(element: Json) -> list[tuple[int, int]]:
    found = []
    for extension in element["extension"]:
        if extension["url"] == DERIVATION_REFERENCE:
            parts = {e["url"]: e.get("valueInteger") for e in extension["extension"]}
            found.append((parts["offset"], parts["length"]))
    return found


def test_observation_offsets_count_code_points() -> None:
    text = "🫀😮‍💨 Disnea"  # two emoji outside the BMP, one of them joined
    start = text.index("Disnea")
    note = Note("DocumentReference/n", "p", text)
    made = write(Finding(start, len(text), "Disnea", "dyspnea"), note=note)
    ((offset, length),) = places(made["derivedFrom"][0])
    assert text[offset : offset + length] == "Disnea"
    units = text.encode("utf-16-le")
    assert units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace") != "Disnea"


def test_observation_records_digest_of_note_text() -> None:
    made = write(finding())
    assert NOTE.sha256 in [e.get("valueString") for e in made["derivedFrom"][0]["extension"]]


@pytest.mark.parametrize("source", ["Composition/c", "DiagnosticReport/d"])
def test_observation_source_not_allowed_by_r4_is_in_extension(source: str) -> None:
    made = write(finding(), note=Note(source, "p", "disnea"))
    assert "derivedFrom" not in made
    assert places(made) == [(0, 6)]
    named = [
        p for e in made["extension"] for p in e.get("extension", []) if p["url"] == "reference"
    ]
    assert named[0]["valueReference"] == {"reference": source}


def test_statements_repeated_finding_is_as_sure_as_its_surest_mention() -> None:
    places = [(0, 0.55), (10, 0.97), (20, None)]
    found = [Finding(at, at + 6, "disnea", "dyspnea", probability=p) for at, p in places]
    (statement,) = statements(found)
    assert statement.finding.probability == 0.97
    assert [start for start, _ in statement.spans] == [0, 10, 20]


def test_statements_repeated_finding_is_one_statement() -> None:
    first, second = finding(), Finding(20, 26, "Disnea", "dyspnea")
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
def test_statements_other_meaning_is_other_statement(other: Finding) -> None:
    assert len(statements([finding(), other])) == 2


def test_statements_relation_without_family_flag_does_not_split() -> None:
    assert len(statements([finding(), Finding(9, 15, "disnea", "dyspnea", relation="FTH")])) == 1


def test_vocabulary_covers_flags_and_categories() -> None:
    assert set(WORDS.flags) == set(FLAGS)
    assert set(WORDS.statuses) == {status.value for status in EstimateStatus}
    assert "FAMMEMB" in WORDS.relatives
