"""Codes of the structured record: every system of Spain's services, however it is written."""

from __future__ import annotations

import pytest

from clinical_nlp.artifacts import read_toml
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.lexicon.codes import code_systems, system_name
from clinical_nlp.lexicon.lexicon import Lexicon

CIE10 = "urn:oid:2.16.724.4.21.5.29"
CIAP2 = "2.16.840.1.113883.6.139"
CIE9 = "http://hl7.org/fhir/sid/icd-9-cm"
RECORD_CODES = read_toml("clinical_nlp.lexicon", "record_codes.toml")


@pytest.mark.parametrize(
    ("system", "code", "concept"),
    [
        (CIE10, "I50.9", "heart_failure"),
        ("2.16.724.4.21.5.29", "i509 ", "heart_failure"),
        ("CIE-10-ES", "I50.-", "heart_failure"),
        ("urn:oid:2.16.840.1.113883.6.90", " e11.9", "diabetes_type_2"),
        (CIAP2, "k77", "heart_failure"),
        ("urn:oid:2.16.840.1.113883.6.139", "K77.01", "heart_failure"),
        ("http://hl7.org/fhir/sid/icpc-2", "K86 ", "hypertension"),
        ("CIAP-2", "T90", "diabetes_type_2"),
        (CIE9, "428.0", "heart_failure"),
        ("urn:oid:2.16.840.1.113883.6.103", "42823", "hfref"),
        ("2.16.840.1.113883.6.103", "250.01", "diabetes_type_1"),
        (CIE9, "25002", "diabetes_type_2"),
        (CIE9, "v45.01", "pacemaker"),
        ("urn:oid:2.16.840.1.113883.6.104", "36.10", "cabg"),
        ("http://hl7.org/fhir/sid/icd-10-pcs", "02100Z9", "cabg"),
        ("http://hl7.org/fhir/sid/icd-10-pcs", "0JH609Z", "crt_device"),
        ("http://snomed.info/sct/449081005/version/20240930", "84114007", "heart_failure"),
        ("urn:oid:2.16.840.1.113883.6.96", "84114007 |insuficiencia cardíaca|", "heart_failure"),
        ("http://www.whocc.no/atc", "c03ca01 ", "furosemide"),
        ("2.16.840.1.113883.6.73", "C09AA02", "enalapril"),
        ("http://loinc.org ", "33762-6 ", "nt_probnp"),
        ("urn:oid:2.16.840.1.113883.6.1", "718-7", "hemoglobin"),
    ],
)
def test_by_code_reads_every_spelling_of_a_system(system: str, code: str, concept: str) -> None:
    assert load_lexicon().by_code(system, code) == concept


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (CIE9, "427.81"),  # sinus node disease is no irregular heartbeat of ours
        (CIE9, "786.01"),
        ("urn:oid:2.16.840.1.113883.6.4", "B573ZZZ"),  # a procedure, and no Chagas disease
        ("http://hl7.org/fhir/sid/icd-10-pcs", "027F0ZZ"),  # a valve, no coronary artery
        (CIAP2, "K84"),  # "other heart disease"
    ],
)
def test_by_code_broader_code_gives_none(system: str, code: str) -> None:
    assert load_lexicon().by_code(system, code) is None


def test_record_codes_name_known_systems_and_existing_concepts() -> None:
    lexicon = load_lexicon()
    for system, codes in RECORD_CODES.items():
        assert system in code_systems()
        for code, key in codes.items():
            assert key == "" or key in lexicon.concepts, (system, code)


def test_record_codes_repeat_no_code_of_the_lexicon() -> None:
    listed = load_lexicon().data["codes.toml"]
    for system, codes in RECORD_CODES.items():
        canonical = code_systems()[system].canonical
        ours = {canonical(code) for code in codes}
        assert ours.isdisjoint(canonical(code) for code in listed.get(system, {})), system


def test_record_codes_leave_the_fingerprint_of_the_lexicon_as_it_is() -> None:
    lexicon = load_lexicon()
    assert Lexicon(lexicon.texts).fingerprint == lexicon.fingerprint


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("urn:oid:2.16.840.1.113883.6.4", "icd10pcs"),
        ("URN:OID:2.16.840.1.113883.6.103", "icd9"),
        ("http://hl7.org/fhir/sid/icd-9-cm/procedure", "icd9proc"),
        ("http://terminology.hl7.org/CodeSystem/icd9cm", "icd9"),
        ("http://hl7.org/fhir/sid/icd-10-es", "icd10"),
        ("SNOMED-CT", "snomed"),
        ("urn:oid:2.16.724.4.21.5.15.4", None),  # national drug codes: by a ConceptMap
        ("http://hospital.example/diagnosticos", None),
    ],
)
def test_system_name_tells_neighbouring_systems_apart(uri: str, name: str | None) -> None:
    assert system_name(uri) == name
