"""The note and the offsets that a resource was derived from."""

from __future__ import annotations

from dataclasses import dataclass

from clinical_nlp.records import Note
from fhir_adapters.writing.elements import Json, date_time, reference
from fhir_adapters.writing.grouping import Spans
from fhir_adapters.writing.urls import DERIVATION_REFERENCE, SHA256_EXTENSION, CanonicalUrls


@dataclass(frozen=True, slots=True)
class SourceNote:
    """What the resources of one note state about it; built once, as hashing a note costs.

    Parameters
    ----------
    key
        :attr:`Note.key`.
    patient_id
        Id of the patient.
    patient
        Reference to the patient.
    reference
        Reference to the resource that holds the note.
    digest
        Extension with the SHA-256 of the exact text that offsets refer to.
    written
        ``dateTime`` of the note, ``None`` where unknown.
    is_document
        Whether a DocumentReference holds the note.
    """

    key: str
    patient_id: str
    patient: Json
    reference: Json
    digest: Json
    written: str | None
    is_document: bool

    @classmethod
    def of(cls, note: Note, urls: CanonicalUrls) -> SourceNote:
        """Return the values for a note."""
        return cls(
            key=note.key,
            patient_id=note.patient_id,
            patient=reference(note.patient_id, "Patient"),
            reference=reference(note.source),
            digest=digest_extension(note, urls),
            written=None if note.written is None else date_time(note.written),
            is_document=note.source.startswith("DocumentReference/"),
        )

    def derived_from(self, spans: Spans) -> list[Json]:
        """Return ``Observation.derivedFrom``; empty where R4 does not allow the source.

        Of the resources that hold notes R4 allows DocumentReference alone, not Composition
        or DiagnosticReport: those are named by :meth:`extensions`.
        """
        if not self.is_document:
            return []
        return [{"extension": [*_derivations(spans), self.digest], **self.reference}]

    def extensions(self, spans: Spans) -> list[Json]:
        """Return the extensions of a resource that has no element to refer to the note."""
        return [*_derivations(spans, self.reference), self.digest]


def digest_extension(note: Note, urls: CanonicalUrls) -> Json:
    """Return the extension with the SHA-256 of a note's text."""
    return {"url": urls.extension(SHA256_EXTENSION), "valueString": note.sha256}


def _derivations(spans: Spans, source: Json | None = None) -> list[Json]:
    # HL7's definition says "characters"; here they are Unicode code points of the decoded
    # text, neither UTF-16 units nor bytes (docs/reference/fhir-output.md).
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
