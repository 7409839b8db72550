"""Recognise resources of other FHIR versions: R5, STU3 and DSTU2 (``versions.toml``)."""

from __future__ import annotations

from clinical_nlp.artifacts import read_toml
from fhir_adapters.reading.shape import Json

_RULES = read_toml("fhir_adapters.reading", "versions.toml")
#: Types of other versions in which nothing lies that is read.
OTHER_TYPES = frozenset(_RULES["types"]["other"])
#: Types of other versions that R4 has under another name.
NAMED_OTHERWISE = frozenset(_RULES["types"]["named_otherwise"])
# Part of a profile's URL: http://hl7.org/fhir/3.0/StructureDefinition/Condition
_IN_PROFILE = {"/5.0/": "R5", "/3.0/": "STU3", "/1.0/": "DSTU2"}


def other_version(resource: Json) -> str | None:
    """Return the FHIR version that a resource seems to be of; ``None`` where it is R4's.

    Examples
    --------
    >>> other_version({"resourceType": "MedicationStatement", "taken": "n"})
    'STU3'
    >>> other_version({"resourceType": "Encounter", "class": {"code": "AMB"}}) is None
    True
    """
    meta = resource.get("meta")
    profiles = meta.get("profile") if isinstance(meta, dict) else None
    for profile in profiles if isinstance(profiles, list) else ():
        for part, version in _IN_PROFILE.items():
            if isinstance(profile, str) and part in profile:
                return version
    kind = resource["resourceType"]
    for version in ("R5", "STU3", "DSTU2"):
        if any(_has(resource, mark) for mark in _RULES[version].get(kind, ())):
            return version
    return None


def _has(resource: Json, mark: str) -> bool:
    """Whether a resource has a field; ``name[]`` as a list, ``name text`` as a string."""
    if mark.endswith(" text"):
        return isinstance(resource.get(mark.removesuffix(" text")), str)
    name, is_list, inner = mark.partition("[]")
    value = resource.get(name)
    if not is_list:
        return value is not None
    if not isinstance(value, list):
        return False
    return not inner or any(isinstance(item, dict) and inner in item for item in value)
