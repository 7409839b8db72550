"""Parse references between resources, in all the forms that exports use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fhir_adapters.reading.defects import Defect, LeftOut, Unusable
from fhir_adapters.reading.shape import Json, child, children, string

# The last "Type/id" of a relative or absolute reference; a version may follow.
_LITERAL = re.compile(
    r"(?:https?://[^?#\s]+/|\./|/)?"
    r"(?P<type>[A-Z][A-Za-z]{1,63})/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/[A-Za-z0-9\-.]{1,64})?"
    # how the server should answer, not what with
    r"(?:\?_(?:format|pretty|summary|elements)=[^#\s]*)?"
)
_UUID = re.compile(r"urn:uuid:(?P<id>[A-Za-z0-9\-.]{1,64})")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a literal reference points at.

    ``type`` is ``None`` for ``urn:uuid:`` references, which name no type, and for contained
    resources (``contained`` is then true, ``id`` the name within the resource).
    """

    type: str | None
    id: str
    contained: bool = False


def parse_reference(text: str) -> Reference | None:
    """Read a reference's text; ``None`` for forms that cannot be followed.

    Examples
    --------
    >>> parse_reference("https://ehr.example/fhir/Patient/12/_history/3")
    Reference(type='Patient', id='12', contained=False)
    >>> parse_reference("Binary/7?_format=text/plain").id
    '7'
    >>> parse_reference("urn:uuid:018f428e-34f6-4707-8009-5ad742f901e7").type is None
    True
    >>> parse_reference("Patient?identifier=7") is None
    True
    """
    if match := _LITERAL.fullmatch(text):
        return Reference(match["type"], match["id"])
    if match := _UUID.fullmatch(text):
        return Reference(None, match["id"])
    if text.startswith("#") and len(text) > 1:
        return Reference(None, text[1:], contained=True)
    return None


def patient_id(resource: Json, field: str = "subject") -> str:
    """Return the id of the patient a resource is about.

    Raises
    ------
    Unusable
        E213 where the field is missing, E214 where it cannot be followed.
    LeftOut
        The resource is about a group, a device or a place.
    """
    subject = _subject(resource, field)
    text = string(subject, "reference")
    if text is None:
        missing = "identifier" not in subject
        raise Unusable(Defect.NO_SUBJECT if missing else Defect.BAD_REFERENCE, field=field)
    reference = parse_reference(text)
    if reference is None or reference.contained:
        raise Unusable(Defect.BAD_REFERENCE, field=field)
    if reference.type not in (None, "Patient"):
        raise LeftOut
    return reference.id


def _subject(resource: Json, field: str) -> Json:
    """Return the reference to the patient, wherever the resource's version has it.

    R5 has a list for Composition; DSTU2 has ``patient`` for what R4 has as ``subject``.
    """
    value = resource.get(field)
    if isinstance(value, list):
        subjects = children(resource, field)
        patients = [s for s in subjects if "Patient/" in (string(s, "reference") or "")]
        if len(patients) > 1:
            raise Unusable(Defect.BAD_REFERENCE, field=field)
        return (patients or subjects or [{}])[0]
    if value is None and field == "subject" and "patient" in resource:
        return child(resource, "patient")
    return child(resource, field)


def contained(resource: Json, name: str) -> Json | None:
    """Return the contained resource that ``#name`` refers to, if there is one."""
    return next((item for item in children(resource, "contained") if item.get("id") == name), None)
