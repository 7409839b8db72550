"""R5, STU3 and DSTU2 are read where they are plain, else told apart."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from clinical_nlp.records import CodedEvent
from fhir_adapters.reading.dates import Dates
from fhir_adapters.reading.defects import Defect, LeftOut, Unusable
from fhir_adapters.reading.parsing import resource_of
from fhir_adapters.reading.resources import DOCUMENT_REDUCERS, EVENT_REDUCERS
from fhir_adapters.reading.versions import other_version

DATES = Dates(date(2024, 6, 1))
SNOMED = "http://snomed.info/sct"
CONCEPT = {"coding": [{"system": SNOMED, "code": "1"}], "text": "x"}
AMBULATORY = {"system": SNOMED, "code": "1"}
ABOUT = {"reference": "Patient/p"}


def event(kind: str, **fields: Any) -> CodedEvent:
    resource = {"resourceType": kind, "id": "x", "subject": ABOUT} | fields
    (only,) = EVENT_REDUCERS[kind](resource, DATES).events
    return only


def document(kind: str, **fields: Any) -> Any:
    resource = {"resourceType": kind, "id": "x", "subject": ABOUT} | fields
    return DOCUMENT_REDUCERS[kind](resource, DATES, 10_000)


R4_DRUG = {"medicationCodeableConcept": CONCEPT}


@pytest.mark.parametrize(
    ("fields", "negated", "uncertain"),
    [
        (R4_DRUG | {"status": "active"}, False, False),
        (R4_DRUG | {"status": "active", "taken": "y"}, False, False),
        (R4_DRUG | {"status": "active", "taken": "n"}, True, False),
        (R4_DRUG | {"status": "completed", "taken": "n"}, True, False),
        (R4_DRUG | {"status": "active", "taken": "unk"}, False, True),
        (R4_DRUG | {"status": "active", "wasNotTaken": True}, True, False),
        (R4_DRUG | {"status": "active", "wasNotTaken": False}, False, False),
        ({"status": "recorded", "medication": {"concept": CONCEPT}}, False, False),
        (
            {
                "status": "recorded",
                "medication": {"concept": CONCEPT},
                "adherence": {"code": {"coding": [{"code": "not-taking"}]}},
            },
            True,
            False,
        ),
        (
            {
                "medication": {"concept": CONCEPT},
                "adherence": {"code": {"coding": [{"code": "unknown"}]}},
            },
            False,
            True,
        ),
    ],
)
def test_statement_of_any_version_says_whether_it_is_taken(fields, negated, uncertain):
    found = event("MedicationStatement", **fields)
    assert [coding.code for coding in found.codings] == ["1"]
    assert (found.negated, found.uncertain) == (negated, uncertain)


def test_stopped_statement_of_r5_ends():
    stopped = {"code": {"coding": [{"code": "stopped-as-directed"}]}}
    drug = {"medication": {"concept": CONCEPT}, "effectiveDateTime": "2020-02-03"}
    assert event("MedicationStatement", adherence=stopped, **drug).end == date(2020, 2, 3)


def test_ended_order_of_r5_ends():
    order = {"medication": {"concept": CONCEPT}, "authoredOn": "2020-02-03", "status": "ended"}
    assert event("MedicationRequest", **order).end == date(2020, 2, 3)


def test_draft_statement_of_r5_is_left_out():
    with pytest.raises(LeftOut):
        event("MedicationStatement", status="draft", medication={"concept": CONCEPT})


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationStatement"])
def test_medication_of_r5_is_followed(kind):
    resource = {"resourceType": kind, "id": "x", "subject": ABOUT}
    given = {"medication": {"reference": {"reference": "Medication/m"}}}
    assert EVENT_REDUCERS[kind](resource | given, DATES).medication == "m"


@pytest.mark.parametrize("field", ["notDone", "notPerformed"])
def test_procedure_that_was_not_done_is_negated(field):
    assert event("Procedure", status="completed", code=CONCEPT, **{field: True}).negated
    assert not event("Procedure", status="completed", code=CONCEPT, **{field: False}).negated


def test_procedure_of_r5_has_its_day():
    found = event("Procedure", code=CONCEPT, occurrenceDateTime="2020-02-03")
    assert found.start == date(2020, 2, 3)


@pytest.mark.parametrize(
    ("verification", "negated", "uncertain"),
    [("refuted", True, False), ("provisional", False, True), ("confirmed", False, False)],
)
def test_condition_of_stu3_is_read(verification, negated, uncertain):
    found = event(
        "Condition",
        code=CONCEPT,
        clinicalStatus="resolved",
        verificationStatus=verification,
        assertedDate="2020-02-03",
    )
    assert (found.negated, found.uncertain) == (negated, uncertain)
    assert (found.recorded, found.end) == (date(2020, 2, 3), date(2020, 2, 3))
    with pytest.raises(LeftOut):
        event("Condition", code=CONCEPT, verificationStatus="entered-in-error")


def test_condition_of_dstu2_is_read():
    found = event("Condition", subject=None, patient=ABOUT, code=CONCEPT, dateRecorded="2020-02-03")
    assert found.recorded == date(2020, 2, 3)


def test_family_history_of_stu3_that_was_not_taken_is_left_out():
    condition = [{"code": CONCEPT}]
    assert event("FamilyMemberHistory", patient=ABOUT, condition=condition).codings
    with pytest.raises(LeftOut):
        event("FamilyMemberHistory", patient=ABOUT, condition=condition, notDone=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"class": AMBULATORY, "reasonCode": [CONCEPT], "period": {"start": "2020-02-03"}},
        {"class": AMBULATORY, "reason": [CONCEPT], "period": {"start": "2020-02-03"}},
        {
            "class": [CONCEPT],
            "reason": [{"use": [CONCEPT], "value": [{"concept": CONCEPT}]}],
            "actualPeriod": {"start": "2020-02-03"},
        },
    ],
    ids=["R4", "STU3", "R5"],
)  # fmt: skip
def test_encounter_of_any_version_is_read(fields):
    found = event("Encounter", **fields)
    assert ([c.code for c in found.codings], [c.code for c in found.value_codings]) == (
        ["1"],
        ["1"],
    )
    assert found.start == date(2020, 2, 3)


@pytest.mark.parametrize(
    "fields",
    [
        {"date": "2020-02-03T10:00:00Z"},
        {"indexed": "2020-02-03T10:00:00Z"},
        {"created": "2020-02-03", "indexed": "2020-02-09T10:00:00Z"},
        {"context": {"period": {"start": "2020-02-03"}}},
        {"context": [{"reference": "Encounter/e"}], "period": {"start": "2020-02-03"}},
    ],
)
def test_document_of_any_version_has_its_day(fields):
    content = [{"attachment": {"contentType": "text/plain", "data": "VG9zLg=="}}]
    found = document("DocumentReference", content=content, **fields)
    assert found.written.date() == date(2020, 2, 3)


@pytest.mark.parametrize(
    ("kind", "relation"),
    [
        ("DocumentReference", {"code": "replaces", "target": {"reference": "DocumentReference/o"}}),
        (
            "DocumentReference",
            {
                "code": {"coding": [{"code": "replaces"}]},
                "target": {"reference": "DocumentReference/o"},
            },
        ),
        ("Composition", {"code": "replaces", "targetReference": {"reference": "Composition/o"}}),
        ("Composition", {"type": "replaces", "resourceReference": {"reference": "Composition/o"}}),
    ],
)
def test_replacement_of_any_version_is_read(kind, relation):
    content = [{"attachment": {"contentType": "text/plain", "data": "VG9zLg=="}}]
    section = [{"text": {"status": "generated", "div": "<div>Tos.</div>"}}]
    given = {"content": content} if kind == "DocumentReference" else {"section": section}
    assert document(kind, relatesTo=[relation], **given).replaces == ("o",)


def test_composition_of_r5_has_a_list_of_subjects():
    section = [{"text": {"status": "generated", "div": "<div>Tos.</div>"}}]
    subjects = [{"reference": "Group/g"}, ABOUT]
    assert document("Composition", subject=subjects, section=section).patient == "p"
    with pytest.raises(Unusable) as error:
        document("Composition", subject=[ABOUT, {"reference": "Patient/q"}], section=section)
    assert error.value.defect is Defect.BAD_REFERENCE


@pytest.mark.parametrize(
    ("resource", "version"),
    [
        ({"resourceType": "MedicationStatement", "adherence": {}}, "R5"),
        ({"resourceType": "Encounter", "class": [1]}, "R5"),
        ({"resourceType": "Encounter", "reason": [{"value": "x"}]}, "R5"),
        ({"resourceType": "Encounter", "reason": [{"coding": []}]}, None),
        ({"resourceType": "Condition", "clinicalStatus": "active"}, "STU3"),
        ({"resourceType": "Condition", "clinicalStatus": {}}, None),
        ({"resourceType": "Encounter", "class": "outpatient"}, "DSTU2"),
        ({"resourceType": "Patient", "meta": {"profile": ["http://hl7.org/fhir/3.0/x"]}}, "STU3"),
        ({"resourceType": "Patient", "meta": {"profile": 7}}, None),
    ],
)
def test_version_is_told_by_fields_of_its_own(resource, version):
    assert other_version(resource) == version


def test_types_of_other_versions():
    assert resource_of({"resourceType": "DeviceUsage"})
    with pytest.raises(Unusable) as error:
        resource_of({"resourceType": "MedicationOrder"})
    assert error.value.defect is Defect.OTHER_VERSION
