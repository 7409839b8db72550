"""From where in which note a resource was read."""

from __future__ import annotations

from clinical_nlp.records import Note
from fhir_adapters.writing.elements import Json, reference
from fhir_adapters.writing.urls import DERIVATION_REFERENCE, SHA256_EXTENSION, Canon


def text_digest(note: Note, canon: Canon) -> Json:
    """Return the extension that says of which exact text offsets are true."""
    return {"url": canon.extension(SHA256_EXTENSION), "valueString": note.sha256}


def derivations(spans: tuple[tuple[int, int], ...], source: Json | None = None) -> list[Json]:
    """Return one ``derivation-reference`` for each span.

    HL7's definition says "characters"; here they are Unicode code points of the decoded
    text, neither UTF-16 units nor bytes.

    Parameters
    ----------
    spans
        (start, end) in code points, end exclusive.
    source
        Reference to the note, where the element that carries the extension is not one.
    """
    place = [{"url": "reference", "valueReference": source}] if source else []
    return [
        {
            "url": DERIVATION_REFERENCE,
            "extension": [
                *place,
                {"url": "offset", "valueInteger": start},
                {"url": "length", "valueInteger": end - start},
            ],
        }
        for start, end in spans
    ]


def note_extensions(note: Note, spans: tuple[tuple[int, int], ...], canon: Canon) -> list[Json]:
    """Return the extensions for a resource that cannot refer to the note in an element."""
    return [*derivations(spans, reference(note.source)), text_digest(note, canon)]


def derived_from(note: Note, spans: tuple[tuple[int, int], ...], canon: Canon) -> Json | None:
    """Return ``Observation.derivedFrom``; ``None`` where R4 does not allow the source.

    Of the resources that hold notes R4 allows DocumentReference alone, not Composition
    or DiagnosticReport: those go into :func:`note_extensions`.
    """
    if not note.source.startswith("DocumentReference/"):
        return None
    return {"extension": [*derivations(spans), text_digest(note, canon)], **reference(note.source)}
