"""Signs of known heart failure that no code and no note names."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import CodedEvent, Coding, EventKind, PatientRecord
from clinical_nlp.risk.prevalence import SignKind, names_heart_failure, prevalence_signs
from clinical_nlp.risk.prevalence_sentences import sign_reasons
from clinical_nlp.risk.timeline_builder import build_timeline

DAY = date(2024, 6, 1)
ATC, LOINC = "http://www.whocc.no/atc", "http://loinc.org"
SACUBITRIL, FUROSEMIDE, SPIRONOLACTONE, BISOPROLOL = "C09DX04", "C03CA01", "C03DA01", "C07AB07"


def drug(code: str, day: date = DAY, end: date | None = None) -> CodedEvent:
    return CodedEvent(
        EventKind.MEDICATION, f"MedicationRequest/{code}", (Coding(ATC, code),), day, end
    )


def event(kind: EventKind, *codings: Coding, **rest) -> CodedEvent:
    return CodedEvent(kind, "X/1", codings, rest.pop("start", DAY), **rest)


def signs(*events: CodedEvent, as_of: date = DAY):
    record = PatientRecord("p", birth_date=date(1950, 1, 1), events=events)
    return prevalence_signs(record, build_timeline(record, (), load_lexicon(), as_of))


def test_treatment_for_heart_failure_alone_is_a_sign():
    (sign,) = signs(drug(SACUBITRIL))
    assert (sign.kind, sign.day) == (SignKind.TREATMENT, DAY)
    assert signs(drug(FUROSEMIDE), drug(BISOPROLOL)) == ()


def test_three_classes_together_are_a_sign_from_the_day_of_the_last():
    later = DAY + timedelta(days=90)
    drugs = [drug(FUROSEMIDE), drug(SPIRONOLACTONE, later), drug(BISOPROLOL)]
    assert signs(*drugs) == ()
    assert [s.day for s in signs(*drugs, as_of=later)] == [later]
    stopped = [drug(FUROSEMIDE, end=DAY), *drugs[1:]]
    assert signs(*stopped, as_of=later) == ()


def test_three_classes_with_ascites_are_no_sign():
    ascites = event(EventKind.CONDITION, Coding("http://hl7.org/fhir/sid/icd-10", "R18.8"))
    assert signs(drug(FUROSEMIDE), drug(SPIRONOLACTONE), drug(BISOPROLOL), ascites) == ()


@pytest.mark.parametrize(
    ("value", "comparator", "found"),
    [(32.0, None, True), (40.0, "<", True), (55.0, None, False), (40.0, ">", False)],
)
def test_reduced_ejection_fraction_is_a_sign(value, comparator, found):
    measured = event(
        EventKind.OBSERVATION,
        Coding(LOINC, "10230-1"),
        value=value,
        unit="%",
        comparator=comparator,
    )
    assert bool(signs(measured)) is found


def test_diagnosis_in_a_system_that_is_not_mapped_is_known_by_its_words():
    local = Coding("urn:oid:1.2.3.4", "4411", "INSUFICIENCIA CARDÍACA CONGESTIVA")
    (sign,) = signs(event(EventKind.CONDITION, local))
    assert sign.kind is SignKind.NAMED
    assert signs(event(EventKind.CONDITION, local, negated=True)) == ()
    assert signs(event(EventKind.FAMILY_HISTORY, local)) == ()
    assert signs(event(EventKind.CONDITION, local, start=DAY + timedelta(days=1))) == ()


def test_contact_with_the_heart_failure_clinic_is_a_sign():
    clinic = Coding("urn:oid:1.2.3.5", "77", "Consulta de la Unidad de Insuficiencia Cardiaca")
    assert signs(event(EventKind.ENCOUNTER, clinic))
    reason = Coding("http://hl7.org/fhir/sid/icd-10", "I50.9")
    assert signs(event(EventKind.ENCOUNTER, Coding("x", "AMB"), value_codings=(reason,)))


@pytest.mark.parametrize(
    "text",
    [
        "Cardiopatía hipertensiva sin insuficiencia cardíaca",
        "Antecedentes familiares de insuficiencia cardiaca",
        "Sospecha de insuficiencia cardiaca",
        "Suspected heart failure",
        "Insuficiencia renal",
        "",
    ],
)
def test_words_that_do_not_say_that_the_patient_has_it(text):
    assert not names_heart_failure(text)


def test_diagnosis_dated_by_its_year_is_known_all_that_year():
    """It may have been made on its first day: nobody who may have the disease is scored."""
    code = Coding("http://hl7.org/fhir/sid/icd-10", "I50.9")
    condition = event(
        EventKind.CONDITION, code, start=date(2024, 1, 1), recorded=date(2024, 12, 31)
    )
    record = PatientRecord("p", events=(condition,))
    assert build_timeline(record, (), load_lexicon(), DAY).coded_heart_failure
    late = event(EventKind.CONDITION, code, start=date(2024, 1, 1), recorded=date(2024, 7, 3))
    record = PatientRecord("p", events=(late,))
    assert not build_timeline(record, (), load_lexicon(), DAY).coded_heart_failure


def test_sentences_name_the_sign_and_its_day():
    concepts = load_lexicon().concepts
    drugs = [drug(FUROSEMIDE), drug(SPIRONOLACTONE), drug(BISOPROLOL)]
    (reason,) = sign_reasons(signs(*drugs), concepts)
    assert reason.text.startswith("furosemida, espironolactona y bisoprolol desde el 01/06/2024")
    assert reason.contribution == 0.0
    assert len(reason.evidence) == 3
