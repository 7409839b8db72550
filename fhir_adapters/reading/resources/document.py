"""DocumentReference, Composition and DiagnosticReport → notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from clinical_nlp.errors import describe
from fhir_adapters.reading.attachments import Part, read_attachment, text_part
from fhir_adapters.reading.codings import code_of, codings, loinc
from fhir_adapters.reading.dates import Dates, Moment
from fhir_adapters.reading.defects import Defect, LeftOut, Unusable
from fhir_adapters.reading.references import parse_reference, patient_id
from fhir_adapters.reading.resources.facts import leave_out
from fhir_adapters.reading.shape import Json, child, children, string
from fhir_adapters.reading.text.html import html_to_text
from fhir_adapters.reading.text.reading import Format

# https://hl7.org/fhir/R4/valueset-document-reference-status.html
_WITHDRAWN_REFERENCE = frozenset({"superseded", "entered-in-error"})
# https://hl7.org/fhir/R4/valueset-diagnostic-report-status.html
_WITHDRAWN_REPORT = frozenset({"registered", "cancelled", "entered-in-error"})
# Model cards and prompts (HL7's guide "AI Transparency on FHIR") are about no patient.
_AI_INPUTS = "http://hl7.org/fhir/uv/aitransparency/CodeSystem/AIinputsCS"
_MAX_SECTION_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Document:
    """A document's notes, as far as they could be read during the scan.

    ``replaces`` are the ids of documents of the same type that it replaces.
    """

    patient: str
    written: datetime | None
    kind: str | None
    parts: tuple[Part, ...]
    replaces: tuple[str, ...] = ()


def replaced_by(resource: Json) -> tuple[str, ...]:
    """Return the ids of the documents that a document replaces."""
    replaced: list[str] = []
    for relation in children(resource, "relatesTo"):
        # R5 has a concept for the code, and for Composition other names.
        kind = code_of(relation, "code") or string(relation, "type")
        if kind != "replaces":
            continue
        fields = ("target", "targetReference", "resourceReference")
        target = next(filter(None, (child(relation, field) for field in fields)), {})
        reference = parse_reference(string(target, "reference") or "")
        if reference is not None and reference.type in (None, resource["resourceType"]):
            replaced.append(reference.id)
    return tuple(replaced)


def reduce_document_reference(resource: Json, dates: Dates, limit: int) -> Document:
    """Reduce a DocumentReference.

    Its date is that of the attachment, else of the document, else the start of the care
    that it documents.
    """
    leave_out(resource, _WITHDRAWN_REFERENCE)
    if string(resource, "docStatus") == "entered-in-error":
        raise LeftOut
    if any(code.system == _AI_INPUTS for code in codings(resource, "type")):
        raise LeftOut
    patient = patient_id(resource)
    attachments = [child(content, "attachment") for content in children(resource, "content")]
    read = (_read(attachment, resource, limit) for attachment in attachments)
    parts = tuple(part for part in read if part is not None)
    if not parts:
        raise Unusable(Defect.NO_DATA)
    created = next((m for a in attachments if (m := dates.past(a, "creation"))), None)
    # ``created`` and ``indexed`` are of STU3; in R5 ``context`` is a list of references.
    stated = (dates.past(resource, field) for field in ("created", "date", "indexed"))
    context = resource if isinstance(resource.get("context"), list) else child(resource, "context")
    written = created or next(filter(None, stated), None)
    written = written or dates.past(child(context, "period"), "start")
    return _document(patient, resource, written, "type", parts, replaced_by(resource))


def _read(attachment: Json, resource: Json, limit: int) -> Part | None:
    """Read an attachment; where that fails unforeseen, the others may still be readable."""
    try:
        return read_attachment(attachment, resource, limit)
    except Unusable:
        raise
    except Exception as error:  # noqa: BLE001 - the attachment counts as unreadable
        return Part(
            media=string(attachment, "contentType"),
            defect=Defect.UNFORESEEN,
            details={"error": describe(error)},
        )


def reduce_diagnostic_report(resource: Json, dates: Dates, limit: int) -> Document:
    """Reduce a DiagnosticReport: its presented form, else its conclusion.

    The conclusion is a part of the presented form, so it is read where no form can be.
    """
    leave_out(resource, _WITHDRAWN_REPORT)
    patient = patient_id(resource)
    forms = (_read(a, resource, limit) for a in children(resource, "presentedForm"))
    parts = tuple(part for part in forms if part is not None)
    conclusion = string(resource, "conclusion")
    if conclusion and not any(part.text and part.text.strip() for part in parts):
        parts = (*parts, text_part(conclusion, limit, Format.SUMMARY))
    if not parts:
        raise LeftOut
    effective, _ = dates.span(resource, "effective")
    written = dates.past(resource, "issued") or effective
    return _document(patient, resource, written, "code", parts)


def reduce_composition(resource: Json, dates: Dates, limit: int) -> Document:
    """Reduce a Composition: titles and narratives of its sections, as one note.

    Where no section has a narrative, the Composition's own is taken.
    """
    leave_out(resource, frozenset({"entered-in-error"}))
    patient = patient_id(resource)
    text = "\n\n".join(_sections(resource, 1)) or _narrative(resource)
    if not text:
        raise LeftOut
    written, parts = dates.past(resource, "date"), (text_part(text, limit),)
    return _document(patient, resource, written, "type", parts, replaced_by(resource))


def _sections(parent: Json, depth: int) -> Iterator[str]:
    """Title and narrative of each section, depth first."""
    for section in children(parent, "section"):
        if depth > _MAX_SECTION_DEPTH:
            raise Unusable(Defect.SECTIONS_TOO_DEEP, limit=_MAX_SECTION_DEPTH)
        narrative = _narrative(section)
        inner = list(_sections(section, depth + 1))
        title = string(section, "title")
        if title and (narrative or inner):
            yield f"{title}\n{narrative}".rstrip()
        elif narrative:
            yield narrative
        yield from inner


def _narrative(element: Json) -> str:
    text = child(element, "text")
    if string(text, "status") == "empty":
        return ""
    return html_to_text(string(text, "div") or "")


def _document(
    patient: str,
    resource: Json,
    written: Moment | None,
    kind_field: str,
    parts: tuple[Part, ...],
    replaces: tuple[str, ...] = (),
) -> Document:
    """Build a document; parts that declare no language have that of the resource."""
    language = string(resource, "language")
    return Document(
        patient,
        None if written is None else written.latest,  # nobody could read it before
        loinc(resource, kind_field),
        tuple(part.in_language(language) for part in parts),
        replaces,
    )
