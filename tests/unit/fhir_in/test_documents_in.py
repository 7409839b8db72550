import base64
from datetime import UTC, date, datetime

import pytest

from clinical_nlp.records import Sex
from clinical_nlp.records.codec import RECORD
from fhir_adapters.reading.dates import Dates
from fhir_adapters.reading.defects import Defect, LeftOut, Unusable
from fhir_adapters.reading.resources import DOCUMENT_REDUCERS
from fhir_adapters.reading.resources.patient import reduce_patient

DATES = Dates(date(2024, 6, 1))
TEXT = {"contentType": "text/plain", "data": base64.b64encode(b"Tos.").decode()}


def reduce(type_: str, **fields):
    resource = {"resourceType": type_, "id": "x", "subject": {"reference": "Patient/p"}} | fields
    return DOCUMENT_REDUCERS[type_](resource, DATES, 1000)


def div(text: str) -> dict:
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>',
    }


def test_document_reference_is_reduced_to_note():
    document = reduce(
        "DocumentReference",
        status="current",
        date="2024-01-15T09:00:00+01:00",
        language="ca",
        type={"coding": [{"system": "http://loinc.org", "code": "11506-3"}]},
        content=[{"attachment": TEXT}],
        relatesTo=[
            {"code": "replaces", "target": {"reference": "DocumentReference/old/_history/2"}},
            {"code": "appends", "target": {"reference": "DocumentReference/other"}},
        ],
    )
    assert (document.patient, document.kind, document.replaces) == ("p", "11506-3", ("old",))
    assert document.written == datetime(2024, 1, 15, 8, tzinfo=UTC)
    (part,) = document.parts
    assert (part.text, part.language) == ("Tos.", "ca")


@pytest.mark.parametrize(
    ("fields", "day"),
    [
        ({"content": [{"attachment": TEXT | {"creation": "2024-01-03"}}], "date": "2024-02-01"}, 3),
        ({"date": "2024-01-04T10:00:00Z", "context": {"period": {"start": "2024-01-01"}}}, 4),
        ({"context": {"period": {"start": "2024-01-05"}}}, 5),
        ({}, None),
    ],
)
def test_document_reference_date_follows_precedence(fields, day):
    document = reduce("DocumentReference", **({"content": [{"attachment": TEXT}]} | fields))
    assert (document.written and document.written.day) == day


@pytest.mark.parametrize(
    ("type_", "fields"),
    [
        ("DocumentReference", {"status": "superseded"}),
        ("DocumentReference", {"status": "entered-in-error"}),
        ("DocumentReference", {"docStatus": "entered-in-error"}),
        ("DiagnosticReport", {"status": "cancelled", "conclusion": "FEVI 35%"}),
        ("DiagnosticReport", {"status": "final"}),
        ("Composition", {"status": "entered-in-error"}),
        ("Composition", {"section": [{"title": "Motivo", "text": {"status": "empty"}}]}),
    ],
)
def test_document_not_in_force_is_left_out(type_, fields):
    with pytest.raises(LeftOut):
        reduce(type_, **fields)


@pytest.mark.parametrize(
    ("fields", "active"),
    [({}, True), ({"active": True}, True), ({"active": False}, False), ({"active": "no"}, True)],
)
def test_patient_record_is_active_unless_stated(fields, active):
    record = reduce_patient(fields, DATES).record("p")
    assert RECORD.loads(RECORD.dumps(record)).active is active


@pytest.mark.parametrize(
    ("fields", "defect"),
    [
        ({}, Defect.NO_DATA),
        ({"content": [{"attachment": {"title": "Informe"}}]}, Defect.NO_DATA),
        ({"content": {"attachment": TEXT}}, Defect.BAD_SHAPE),
        ({"content": [{"attachment": TEXT}], "date": "15/01/2024"}, Defect.BAD_DATE),
        ({"content": [{"attachment": TEXT}], "date": "2034-01-15"}, Defect.FUTURE_DATE),
    ],
)
def test_document_reference_unusable_names_defect(fields, defect):
    with pytest.raises(Unusable) as error:
        reduce("DocumentReference", **fields)
    assert error.value.defect is defect


def test_diagnostic_report_prefers_presented_form_to_conclusion():
    both = reduce("DiagnosticReport", presentedForm=[TEXT], conclusion="FEVI 35%")
    assert [part.text for part in both.parts] == ["Tos."]
    assert [p.text for p in reduce("DiagnosticReport", conclusion="FEVI 35%").parts] == ["FEVI 35%"]


def test_diagnostic_report_too_large_is_refused():
    with pytest.raises(Unusable) as error:
        reduce("DiagnosticReport", conclusion="x" * 1001)
    assert error.value.defect is Defect.TOO_LARGE


def test_composition_sections_become_one_note():
    sections = [
        {"title": "Motivo de consulta", "text": div("Disnea.")},
        {
            "title": "Exploración",
            "section": [{"title": "Constantes", "text": div("<p>TA 13/8</p><p>FC 80</p>")}],
        },
        {"title": "Vacía"},
    ]
    document = reduce("Composition", section=sections, text=div("resumen"), date="2024-01-01")
    assert document.parts[0].text == (
        "Motivo de consulta\nDisnea.\n\nExploración\n\nConstantes\nTA 13/8\n\nFC 80"
    )


def test_composition_without_sections_uses_own_narrative():
    assert reduce("Composition", text=div("Tos")).parts[0].text == "Tos"


def test_composition_nested_too_deep_is_refused():
    section: dict = {"title": "a", "text": div("b")}
    for _ in range(40):
        section = {"section": [section]}
    with pytest.raises(Unusable) as error:
        reduce("Composition", section=[section])
    assert error.value.defect is Defect.SECTIONS_TOO_DEEP


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"gender": "female", "birthDate": "1950-02-03"},
            ("female", date(1950, 2, 3), False, None),
        ),
        ({"birthDate": "1950"}, ("unknown", date(1950, 1, 1), False, None)),
        ({"gender": "mujer"}, ("unknown", None, False, None)),
        ({"gender": ["male"]}, ("unknown", None, False, None)),
        ({"deceasedBoolean": True}, ("unknown", None, True, None)),
        ({"deceasedBoolean": False}, ("unknown", None, False, None)),
        ({"deceasedDateTime": "2020-01-02"}, ("unknown", None, True, date(2020, 1, 2))),
    ],
)
def test_patient_is_reduced_to_sex_and_dates(fields, expected):
    person = reduce_patient(fields, DATES)
    assert (person.sex, person.birth_date, person.deceased, person.died) == expected
    assert isinstance(person.sex, Sex)
    assert person.defects == ()


@pytest.mark.parametrize(
    ("fields", "defect"),
    [
        ({"birthDate": "03/02/1950"}, Defect.BAD_BIRTH_DATE),
        ({"birthDate": 1950}, Defect.BAD_BIRTH_DATE),
        ({"birthDate": "2050-01-01"}, Defect.BAD_BIRTH_DATE),
        ({"deceasedDateTime": "x"}, Defect.BAD_DEATH_DATE),
    ],
)
def test_patient_with_bad_date_is_kept_with_defect(fields, defect):
    assert reduce_patient(fields, DATES).defects == (defect,)
