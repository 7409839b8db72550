"""Codes of a CodeableConcept; codes for "absent" and for relatives."""

from __future__ import annotations

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Coding
from fhir_adapters.reading.shape import Json, child, children, string

_CODES = read_toml("fhir_adapters.reading", "codes.toml")
#: Codes (system, code) of a blood pressure as a whole, and of its systolic and diastolic part.
PRESSURE_PANELS = frozenset((system, code) for system, code in _CODES["pressure"]["panels"])
PRESSURE_PARTS = tuple((system, code) for system, code in _CODES["pressure"]["parts"])
_ABSENT = frozenset(
    (system["uri"], code) for system in _CODES["absent"] for code in system["codes"]
)
_RELATIONS: dict[tuple[str, str], str] = {
    (system["uri"], code): relation
    for system in _CODES["relation"]
    for code, relation in system["codes"].items()
}
_ABSENT_WORDS = frozenset(_CODES["words"]["absent"])
_PRESENT_WORDS = frozenset(_CODES["words"]["present"])
#: FHIR's comparator by the words that a text value may begin with, the longest first.
COMPARATOR_WORDS: dict[str, str] = {
    word: sign
    for word, sign in sorted(
        ((word, sign) for sign, words in _CODES["comparators"].items() for word in words),
        key=lambda pair: -len(pair[0]),
    )
}
_ALIASES: dict[str, str] = {
    alias: uri for uri, aliases in _CODES["aliases"].items() for alias in aliases
}
ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
LOINC = "http://loinc.org"
_SNOMED = "http://snomed.info/sct"


def canonical_uri(system: str) -> str:
    """Return FHIR's URI of a system that is given by its OID, or with an edition."""
    plain = system.strip().rstrip("/")
    if plain.startswith(_SNOMED):
        return _SNOMED
    return _ALIASES.get(plain.lower().removeprefix("urn:oid:"), plain)


def codings(parent: Json, field: str) -> tuple[Coding, ...]:
    """Return the codes of a CodeableConcept field; its free text is not read."""
    return concept_codings(child(parent, field))


def words_of(parent: Json, field: str) -> tuple[Coding, ...]:
    """Return the words of a CodeableConcept without a usable code, as a Coding without a system.

    Problem lists hold diagnoses in words alone, and codes without their system. The words are
    looked at where the words beside a code are (``clinical_nlp/risk/prevalence.toml``).
    """
    concept = child(parent, field)
    shown = [string(item, "display") for item in children(concept, "coding")]
    words = next((text for text in (string(concept, "text"), *shown) if text), None)
    return (Coding("", "", words),) if words else ()


def concept_codings(concept: Json) -> tuple[Coding, ...]:
    """Return the codes of a CodeableConcept, in the export's order.

    A code without a system means nothing outside the system that wrote it and is dropped.
    """
    codes = (coding(item) for item in children(concept, "coding"))
    return tuple(code for code in codes if code is not None)


def coding(item: Json) -> Coding | None:
    """Return a FHIR Coding, ``None`` where system or code is missing."""
    system, code = string(item, "system"), string(item, "code")
    if not system or not code:
        return None
    return Coding(system, code, string(item, "display"))


def code_of(parent: Json, field: str) -> str | None:
    """Return the first code of a CodeableConcept whose system FHIR itself fixes.

    In STU3 and DSTU2 some of these fields are the code alone.
    """
    if isinstance(parent.get(field), str):
        return string(parent, field)
    for item in children(child(parent, field), "coding"):
        if code := string(item, "code"):
            return code
    return None


def loinc(parent: Json, field: str) -> str | None:
    """Return the LOINC code of a CodeableConcept, if it has one."""
    return next((c.code for c in codings(parent, field) if canonical_uri(c.system) == LOINC), None)


def codes_mean_absent(values: tuple[Coding, ...]) -> bool:
    """Return whether a coded value means that the thing observed is absent."""
    return any((canonical_uri(value.system), value.code.strip()) in _ABSENT for value in values)


def word_means_absent(text: str) -> bool | None:
    """Return whether a word means absent ("no") or present ("sí"); ``None`` for others."""
    word = text.strip().rstrip(".").casefold()
    if word in _ABSENT_WORDS:
        return True
    return False if word in _PRESENT_WORDS else None


def relation(values: tuple[Coding, ...]) -> str:
    """Return a relative's HL7 v3 RoleCode; ``FAMMEMB`` (family member) where none is known."""
    for value in values:
        system, code = canonical_uri(value.system), value.code.strip()
        if system == ROLE_CODE:
            return code
        if known := _RELATIONS.get((system, code)):
            return known
    return "FAMMEMB"
