import pytest

from fhir_adapters.reading.defects import Defect, LeftOut, Unusable
from fhir_adapters.reading.references import Reference, parse_reference, patient_id


@pytest.mark.parametrize(
    "text",
    [
        "Patient/a-1",
        "/Patient/a-1",
        "./Patient/a-1",
        "http://ehr.example/Patient/a-1",
        "https://ehr.example:8443/fhir/r4/Patient/a-1",
        "https://ehr.example/fhir/Patient/a-1/_history/7",
        "Patient/a-1/_history/1",
    ],
)
def test_parse_reference_literal_forms_are_read(text):
    assert parse_reference(text) == Reference("Patient", "a-1")


def test_parse_reference_urn_uuid_has_no_type():
    assert parse_reference("urn:uuid:5cbc121b") == Reference(None, "5cbc121b")


def test_parse_reference_contained_is_marked():
    assert parse_reference("#p") == Reference(None, "p", contained=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "a-1",
        "patient/1",
        "Patient/",
        "Patient/José Pérez",
        "Patient?identifier=7",
        "urn:oid:1.2.3",
        "http://ehr.example/fooPatient1",
        "Patient/" + "a" * 65,
    ],
)
def test_parse_reference_other_forms_return_none(text):
    assert parse_reference(text) is None


@pytest.mark.parametrize(
    ("subject", "defect"),
    [
        (None, Defect.NO_SUBJECT),
        ({}, Defect.NO_SUBJECT),
        ({"display": "x"}, Defect.NO_SUBJECT),
        ({"identifier": {"value": "CIP1"}}, Defect.BAD_REFERENCE),
        ({"reference": "#p"}, Defect.BAD_REFERENCE),
        ({"reference": 7}, Defect.BAD_SHAPE),
        ("Patient/1", Defect.BAD_SHAPE),
    ],
)
def test_patient_id_unusable_subject_names_defect(subject, defect):
    with pytest.raises(Unusable) as error:
        patient_id({"subject": subject})
    assert error.value.defect is defect


def test_patient_id_group_subject_is_left_out():
    with pytest.raises(LeftOut):
        patient_id({"subject": {"reference": "Group/7"}})
