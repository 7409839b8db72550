from datetime import date

import pytest

from clinical_nlp.records import Coding, EventKind
from clinical_nlp.records.codec import EVENTS
from fhir_adapters.reading.dates import Dates
from fhir_adapters.reading.defects import Defect, LeftOut, Unusable
from fhir_adapters.reading.resources import EVENT_REDUCERS

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"


def concept(code: str, system: str = SNOMED, display: str | None = None) -> dict:
    coding = {"system": system, "code": code}
    return {"coding": [coding if display is None else coding | {"display": display}]}


def reduce(type_: str, **fields):
    about = {"patient" if type_ == "FamilyMemberHistory" else "subject": {"reference": "Patient/p"}}
    resource = {"resourceType": type_, "id": "x", "code": concept("1")} | about | fields
    return EVENT_REDUCERS[type_](resource, Dates(date(2024, 6, 1)))


def event(type_: str, **fields):
    (only,) = reduce(type_, **fields).events
    return only


def left_out(type_: str, **fields) -> bool:
    try:
        reduce(type_, **fields)
    except LeftOut:
        return True
    return False


def status(system: str, code: str) -> dict:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


@pytest.mark.parametrize(
    ("code", "negated", "uncertain"),
    [
        ("confirmed", False, False),
        ("refuted", True, False),
        ("unconfirmed", False, True),
        ("provisional", False, True),
        ("differential", False, True),
    ],
)
def test_condition_verification_sets_flags(code, negated, uncertain):
    found = event("Condition", verificationStatus=status("condition-ver-status", code))
    assert (found.negated, found.uncertain) == (negated, uncertain)


def test_condition_entered_in_error_is_left_out():
    wrong = status("condition-ver-status", "entered-in-error")
    assert left_out("Condition", verificationStatus=wrong)
    # … even where it could not have been used anyway
    assert left_out("Condition", verificationStatus=wrong, subject=None)


def test_condition_dates_are_read():
    found = event(
        "Condition",
        code=concept("84114007", display="Heart failure"),
        onsetDateTime="2019-03",
        recordedDate="2020-05-06",
        abatementDateTime="2021",
    )
    assert found.codings == (Coding(SNOMED, "84114007", "Heart failure"),)
    assert (found.start, found.end, found.recorded) == (
        date(2019, 3, 1),
        date(2021, 12, 31),
        date(2020, 5, 6),
    )


@pytest.mark.parametrize("code", ["resolved", "inactive", "remission"])
def test_condition_over_without_date_is_closed(code):
    over = {"clinicalStatus": status("condition-clinical", code), "onsetDateTime": "2019-03-01"}
    assert event("Condition", **over, recordedDate="2020-05-06").end == date(2020, 5, 6)
    assert event("Condition", onsetDateTime="2019-03-01").end is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ({"text": "Insuficiencia cardiaca"}, "Insuficiencia cardiaca"),
        ({"coding": [{"display": "Insuficiencia cardiaca"}]}, "Insuficiencia cardiaca"),
        ({"coding": [{"code": "I50.9", "display": "Fallo cardiaco"}]}, "Fallo cardiaco"),
    ],
)
def test_condition_in_words_alone_keeps_them(code, words):
    assert event("Condition", code=code).codings == (Coding("", "", words),)


def test_condition_without_code_and_words_is_left_out():
    assert left_out("Condition", code={"coding": [{"code": "I50.9"}]})
    assert left_out("Condition", code={})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"valueQuantity": {"value": 450, "unit": "pg/mL", "code": "pg/mL", "comparator": ">"}},
            (450.0, "pg/mL", ">", False),
        ),
        ({"valueQuantity": {"value": 36.5, "unit": "ºC"}}, (36.5, "ºC", None, False)),
        ({"valueInteger": 7}, (7.0, None, None, False)),
        ({"valueString": " >= 3,5 "}, (3.5, None, ">=", False)),
        ({"valueString": "Negativo."}, (None, None, None, True)),
        ({"valueString": "sí"}, (None, None, None, False)),
        ({"valueBoolean": False}, (None, None, None, True)),
        ({"valueBoolean": True}, (None, None, None, False)),
        ({"valueCodeableConcept": concept("2667000")}, (None, None, None, True)),
        ({"valueCodeableConcept": concept("52101004")}, (None, None, None, False)),
        ({"valueCodeableConcept": {"text": "NO"}}, (None, None, None, True)),
        ({}, (None, None, None, False)),
    ],
)
def test_observation_value_types_are_read(value, expected):
    found = event("Observation", status="final", **value)
    assert (found.value, found.unit, found.comparator, found.negated) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "cancelled"},
        {"status": "entered-in-error"},
        {"status": "registered"},
        {"dataAbsentReason": {"text": "no colabora"}},
        {"valueString": "ver informe adjunto"},
        {"valueQuantity": {"unit": "kg"}},
        {"valueSampledData": {"data": "1 2 3"}},
        {"focus": [{"reference": "Patient/feto"}]},
        {"code": {"text": "Peso"}},
        {"code": {"coding": [{"code": "PESO"}]}},
        {"subject": {"reference": "Group/1"}},
    ],
)
def test_observation_without_value_about_patient_is_left_out(fields):
    assert left_out("Observation", **fields)


def test_observation_preliminary_is_kept():
    assert event("Observation", status="preliminary", valueInteger=1).value == 1.0


def test_observation_panel_gives_component_events():
    parts = [
        {"code": concept("8480-6", LOINC), "valueQuantity": {"value": 145, "code": "mm[Hg]"}},
        {"code": concept("8462-4", LOINC), "valueQuantity": {"value": 90, "code": "mm[Hg]"}},
        {"code": concept("8478-0", LOINC), "dataAbsentReason": {"text": "?"}},
    ]
    facts = reduce(
        "Observation",
        code=concept("85354-9", LOINC),
        component=parts,
        effectiveDateTime="2024-01-02T10:00:00+01:00",
        issued="2024-01-03T10:00:00+01:00",
    )
    assert [(e.codings[0].code, e.value, e.start, e.recorded) for e in facts.events] == [
        ("8480-6", 145.0, date(2024, 1, 2), date(2024, 1, 3)),
        ("8462-4", 90.0, date(2024, 1, 2), date(2024, 1, 3)),
    ]


def test_observation_with_value_and_components_gives_both():
    parts = [{"code": concept("2"), "valueInteger": 2}]
    facts = reduce("Observation", valueInteger=1, component=parts)
    assert [e.value for e in facts.events] == [1.0, 2.0]


def test_observation_without_effective_date_uses_issued():
    assert event("Observation", issued="2024-01-03T10:00:00Z").start == date(2024, 1, 3)


@pytest.mark.parametrize(
    ("fields", "start", "end", "negated"),
    [
        ({"authoredOn": "2024-01-02", "status": "active"}, date(2024, 1, 2), None, False),
        (
            {"authoredOn": "2024-01-02", "status": "stopped"},
            date(2024, 1, 2),
            date(2024, 1, 2),
            False,
        ),
        (
            {
                "authoredOn": "2024-01-02",
                "dispenseRequest": {"validityPeriod": {"end": "2024-12-31"}},
            },
            date(2024, 1, 2),
            date(2024, 12, 31),
            False,
        ),
        (
            {
                "dispenseRequest": {"validityPeriod": {"start": "2024-01-02"}},
                "dosageInstruction": [
                    {"text": "1-0-0"},
                    {"timing": {"repeat": {"boundsPeriod": {"end": "2024-05"}}}},
                ],
            },
            date(2024, 1, 2),
            date(2024, 5, 31),
            False,
        ),
        ({"doNotPerform": True}, None, None, True),
    ],
)
def test_medication_request_dates_and_negation_are_read(fields, start, end, negated):
    drug = concept("C03CA01", "http://www.whocc.no/atc")
    found = event("MedicationRequest", medicationCodeableConcept=drug, **fields)
    assert (found.kind, found.codings[0].code) == (EventKind.MEDICATION, "C03CA01")
    assert (found.start, found.end, found.negated) == (start, end, negated)


@pytest.mark.parametrize(
    "fields",
    [{"status": "cancelled"}, {"status": "draft"}, {"intent": "proposal"}, {"status": "active"}],
)
def test_medication_request_not_in_force_is_left_out(fields):
    assert left_out("MedicationRequest", **fields)  # the last has no drug


def test_medication_reference_is_followed():
    inner = [{"resourceType": "Medication", "id": "m", "code": concept("C03CA01")}]
    of = {"medicationReference": {"reference": "#m"}, "contained": inner}
    assert event("MedicationStatement", **of).codings[0].code == "C03CA01"
    facts = reduce("MedicationStatement", medicationReference={"reference": "Medication/7"})
    assert (facts.medication, facts.events[0].codings) == ("7", ())


def test_medication_statement_is_reduced():
    drug = {"medicationCodeableConcept": concept("1")}
    assert event("MedicationStatement", status="not-taken", **drug).negated
    assert left_out("MedicationStatement", status="intended", **drug)
    over = event("MedicationStatement", status="completed", dateAsserted="2024-02-03", **drug)
    assert (over.end, over.recorded) == (date(2024, 2, 3), date(2024, 2, 3))


@pytest.mark.parametrize(
    ("relationship", "expected"),
    [
        (concept("MTH", "http://terminology.hl7.org/CodeSystem/v3-RoleCode"), "MTH"),
        (concept("66839005"), "FTH"),
        ({"text": "primo"}, "FAMMEMB"),
        (None, "FAMMEMB"),
    ],
)
def test_family_history_relation_is_read(relationship, expected):
    conditions = [{"code": concept("22298006")}, {"code": {"text": "algo"}}]
    found = event(
        "FamilyMemberHistory", relationship=relationship, condition=conditions, date="2024-01"
    )
    assert (found.relation, found.codings[0].code) == (expected, "22298006")
    assert (found.start, found.recorded) == (None, date(2024, 1, 1))


def test_family_history_without_conditions_is_left_out():
    assert left_out("FamilyMemberHistory")
    assert left_out("FamilyMemberHistory", status="health-unknown")


def test_procedure_is_reduced():
    assert event("Procedure", status="not-done").negated
    assert left_out("Procedure", status="preparation")
    period = {"start": "2024-01-01", "end": "2024-01-03"}
    assert event("Procedure", performedPeriod=period).end == date(2024, 1, 3)


def test_encounter_reasons_are_value_codings():
    found = event(
        "Encounter",
        status="finished",
        **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
        type=[concept("185349003")],
        reasonCode=[concept("K77", "http://hl7.org/fhir/sid/icpc-2")],
        period={"start": "2024-01-01T10:00:00+01:00"},
    )
    assert [c.code for c in found.codings] == ["AMB", "185349003"]
    assert [c.code for c in found.value_codings] == ["K77"]
    assert left_out("Encounter", status="planned")


@pytest.mark.parametrize(
    ("type_", "fields", "defect"),
    [
        ("Condition", {"code": "I50"}, Defect.BAD_SHAPE),
        ("Condition", {"code": {"coding": {"code": "I50"}}}, Defect.BAD_SHAPE),
        ("Condition", {"verificationStatus": 7}, Defect.BAD_SHAPE),
        ("Encounter", {"class": "AMB"}, Defect.BAD_SHAPE),
        ("Observation", {"valueQuantity": {"value": "doce"}}, Defect.BAD_SHAPE),
        ("Observation", {"valueQuantity": {"value": 1e999}}, Defect.BAD_SHAPE),
        ("Observation", {"valueBoolean": "false"}, Defect.BAD_SHAPE),
        ("Observation", {"component": ["a"]}, Defect.BAD_SHAPE),
        ("Condition", {"onsetDateTime": "ayer"}, Defect.BAD_DATE),
        ("Condition", {"recordedDate": "2031-01-01"}, Defect.FUTURE_DATE),
        ("Procedure", {"subject": {}}, Defect.NO_SUBJECT),
        ("MedicationRequest", {"medicationReference": {"reference": "x"}}, Defect.NO_MEDICATION),
    ],
)
def test_resource_unusable_names_defect(type_, fields, defect):
    with pytest.raises(Unusable) as error:
        reduce(type_, **fields)
    assert error.value.defect is defect


def test_events_round_trip_through_spool():
    facts = reduce(
        "Observation",
        status="final",
        valueQuantity={"value": 0.1, "unit": "x\ufffd", "comparator": "<"},
        effectivePeriod={"start": "2024-01-01", "end": "2024-01-02"},
        component=[{"code": concept("2", display="ñ"), "valueCodeableConcept": concept("2667000")}],
    )
    assert EVENTS.loads(EVENTS.dumps(facts.events)) == facts.events
