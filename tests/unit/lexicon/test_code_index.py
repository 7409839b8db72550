from __future__ import annotations

import pytest

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.lexicon.codes import system_name

SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ATC = "http://www.whocc.no/atc"


@pytest.mark.parametrize(
    ("system", "code", "concept"),
    [
        (SNOMED, "84114007", "heart_failure"),
        (SNOMED, "88805009", "congestive_heart_failure"),
        (SNOMED, "399211009", "old_myocardial_infarction"),
        (ICD10CM, "I50.43", "heart_failure"),
        (ICD10CM, "I50.22", "hfref"),
        ("http://hl7.org/fhir/sid/icd-10-es", "I48.20", "atrial_fibrillation"),
        ("http://hl7.org/fhir/sid/icd-10", "i11.0", "hypertensive_heart_failure"),
        ("urn:oid:2.16.840.1.113883.6.90", "E1165", "diabetes_type_2"),
        ("http://loinc.org", "33762-6", "nt_probnp"),
        ("http://loinc.org", "14682-9", "creatinine"),
        (ATC, "C03CA01", "furosemide"),
        (ATC, "C09AA09", "ace_inhibitor_class"),
        (ATC, "C09DX04", "sacubitril_valsartan"),
        ("http://hl7.org/fhir/sid/icpc-2", "K77", "heart_failure"),
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "4603", "furosemide"),
    ],
)
def test_by_code_known_code_gives_its_concept(system: str, code: str, concept: str) -> None:
    assert load_lexicon().by_code(system, code) == concept


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (ICD10CM, "R94.31"),  # "abnormal ECG" is not Q waves
        (ICD10CM, "G45.4"),  # transient global amnesia is no ischaemic attack
        (ICD10CM, "J06.9"),
        (ICD10CM, ""),
        ("http://loinc.org", "72166-2"),
        (ATC, "B01AB05"),  # enoxaparin is not an oral anticoagulant
        (ATC, "C"),
        ("http://example.org/local", "I50"),
        ("", "I50"),
    ],
)
def test_by_code_ambiguous_or_unknown_code_gives_none(system: str, code: str) -> None:
    assert load_lexicon().by_code(system, code) is None


def test_codes_file_names_only_existing_concepts() -> None:
    lexicon = load_lexicon()
    for system, codes in lexicon.data["codes.toml"].items():
        for code, key in codes.items():
            assert key == "" or key in lexicon.concepts, (system, code)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("http://snomed.info/sct", "snomed"),
        ("urn:oid:2.16.840.1.113883.6.3", "icd10"),
        ("2.16.840.1.113883.6.96", "snomed"),
        ("https://www.sanidad.gob.es/cie10es", "icd10"),
        ("urn:oid:2.16.840.1.113883.6.345", None),
    ],
)
def test_system_name_gives_the_short_name(uri: str, name: str | None) -> None:
    assert system_name(uri) == name
