"""Values given as text: read by the notes' grammar or not at all, never a thousandth."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import PatientRecord
from clinical_nlp.risk.timeline_builder import build_timeline
from fhir_adapters.reading.dates import Dates
from fhir_adapters.reading.defects import LeftOut
from fhir_adapters.reading.quantities import TextValue, read_value
from fhir_adapters.reading.resources import EVENT_REDUCERS

LOINC = {
    "diastolic_bp": "8462-4",
    "nt_probnp": "33762-6",
    "lvef": "10230-1",
    "creatinine": "2160-0",
    "potassium": "2823-3",
    "body_weight": "29463-7",
    "hemoglobin": "718-7",
    "systolic_bp": "8480-6",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.000", TextValue((2000.0, 2.0))),
        ("> 35.000 pg/mL", TextValue((35000.0, 35.0), "pg/mL", ">")),
        ("1,25", TextValue((1.25,))),
        ("38 %", TextValue((38.0,), "%")),
        ("38%", TextValue((38.0,), "%")),
        ("<125", TextValue((125.0,), None, "<")),
        ("≤ 0,5 mg/dL", TextValue((0.5,), "mg/dL", "<=")),
        ("=>60", TextValue((60.0,), None, ">=")),
        ("Mayor de 35.000 pg/ml", TextValue((35000.0, 35.0), "pg/ml", ">")),
        ("inferior a 5", TextValue((5.0,), None, "<")),
        ("1.234,5", TextValue((1234.5,))),
        ("1,234.5", TextValue((1234.5,))),
        ("1.850.000", TextValue((1850000.0,))),
        ("1 250", TextValue((1250.0,))),
        ("1\u202f250,5 pg/mL", TextValue((1250.5,), "pg/mL")),
        ("1'25 mg/dL", TextValue((1.25,), "mg/dL")),
        ("1.850 pg/mL (VN < 125)", TextValue((1850.0, 1.85), "pg/mL")),
        ("1.850 *", TextValue((1850.0, 1.85))),
        ("9,8 g/dL L", TextValue((9.8,), "g/dL")),
        ("-1,5", TextValue((-1.5,))),
        ("0.125", TextValue((0.125,))),
        ("60 mL/min/1,73m2", TextValue((60.0,), "mL/min/1,73m2")),
        ("82 lpm", TextValue((82.0,), "lpm")),
        ("80 /min", TextValue((80.0,), "/min")),
    ],
)
def test_text_value_is_read(text, expected):
    assert read_value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "120/80",
        "35-40 %",
        "12/03/2024",
        "1.2.3",
        "1.23.456",
        "2+",
        "hemolizada",
        "ver comentario",
        "38 % (35 % previo) y 40 %" * 9,
        "38 40",
        "1e5",
        "12 de marzo",
        "aprox 38",
        "10^3",
        "٣٨",
    ],
)
def test_text_that_is_no_single_number_is_not_read(text):
    read = read_value(text)
    assert read is None or read.unit not in (None, "%")


@given(st.text(max_size=40))
def test_any_text_gives_finite_values_or_none(text):
    read = read_value(text)
    assert read is None or all(abs(value) < 1e40 for value in read.values)


def measured(concept: str, **fields: Any) -> list[tuple[float | None, str | None]]:
    """Values of a concept on the timeline of a patient with one Observation."""
    resource = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://loinc.org", "code": LOINC[concept]}]},
        "effectiveDateTime": "2024-05-02",
    } | fields
    day = date(2024, 6, 1)
    try:
        events = EVENT_REDUCERS["Observation"](resource, Dates(day)).events
    except LeftOut:
        return []
    record = PatientRecord("p", birth_date=date(1950, 1, 1), events=events)
    timeline = build_timeline(record, (), load_lexicon(), day)
    return [(e.value, e.comparator) for e in timeline.entries if e.concept == concept]


@pytest.mark.parametrize(
    ("concept", "fields", "expected"),
    [
        ("nt_probnp", {"valueString": "2.000"}, [(2000, None)]),
        ("nt_probnp", {"valueString": "> 35.000 pg/mL"}, [(35000, ">")]),
        ("nt_probnp", {"valueString": "1 250 pg/mL"}, [(1250, None)]),
        ("nt_probnp", {"valueCodeableConcept": {"text": "1.850"}}, [(1850, None)]),
        ("nt_probnp", {"valueQuantity": {"value": "1.850", "unit": "pg/mL"}}, [(1850, None)]),
        (
            "nt_probnp",
            {"valueQuantity": {"value": 125, "comparator": "<", "unit": "pg/mL"}},
            [(125, "<")],
        ),
        ("creatinine", {"valueString": "1,25"}, [(1.25, None)]),
        ("creatinine", {"valueString": "1.250 mg/dL"}, [(1.25, None)]),
        ("potassium", {"valueString": "4.500"}, [(4.5, None)]),
        ("hemoglobin", {"valueString": "12,300 g/dL"}, [(12.3, None)]),
        ("body_weight", {"valueString": "79,300 kg"}, [(79.3, None)]),
        ("lvef", {"valueString": "38 %"}, [(38, None)]),
        ("lvef", {"valueString": "35-40 %"}, []),
        ("systolic_bp", {"valueString": "120/80"}, []),
        ("nt_probnp", {"valueString": "12 patatas"}, []),
        ("nt_probnp", {"valueString": "hemolizada"}, []),
        ("nt_probnp", {"valueString": "negativo"}, []),
        ("nt_probnp", {}, []),
        ("nt_probnp", {"valueQuantity": {"unit": "pg/mL"}}, []),
        ("nt_probnp", {"dataAbsentReason": {"text": "x"}}, []),
        ("lvef", {"valueBoolean": True}, []),
    ],
)
def test_observation_is_measured_by_its_value_alone(concept, fields, expected):
    assert measured(concept, **fields) == expected


PANEL = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("150/90", (150, 90)),
        (" 128 / 70 mmHg", (128, 70)),
        ("135-80", (135, 80)),
        ("142/88 mm[Hg]", (142, 88)),
        ("15/9", ()),  # centimetres, or a date
        ("90/150", ()),
        ("150/90/70", ()),
        ("no se deja", ()),
    ],
)
def test_blood_pressure_in_one_text_is_read_by_its_parts(text, pair):
    fields = {"code": PANEL, "valueString": text}
    found = [measured(part, **fields) for part in ("systolic_bp", "diastolic_bp")]
    assert found == ([[(value, None)] for value in pair] or [[], []])


def test_text_of_another_code_is_no_pressure():
    other = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    assert measured("systolic_bp", code=other, valueString="150/90") == []


@pytest.mark.parametrize(
    ("fields", "contacts"),
    [
        ({}, 0),
        ({"valueQuantity": {"value": 1850, "code": "pg/mL"}}, 1),
        ({"valueString": "1.850"}, 1),
    ],
)
def test_observation_without_a_value_is_no_contact(fields, contacts):
    resource = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://loinc.org", "code": LOINC["nt_probnp"]}]},
        "effectiveDateTime": "2024-05-02",
    } | fields
    day = date(2024, 6, 1)
    events = EVENT_REDUCERS["Observation"](resource, Dates(day)).events
    timeline = build_timeline(PatientRecord("p", events=events), (), load_lexicon(), day)
    assert len(timeline.contact_days) == contacts
