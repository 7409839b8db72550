"""The origin of a patient's resources as ``Provenance``: agent, date and sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from clinical_nlp.records import PatientRecord
from fhir_adapters.writing.elements import Json, Resource, codeable, coding, identified, reference
from fhir_adapters.writing.source_note import digest_extension
from fhir_adapters.writing.urls import DATA_OPERATION, PARTICIPANT_TYPE, CanonicalUrls


def provenance(
    record: PatientRecord,
    targets: Sequence[Json],
    as_of: date,
    urls: CanonicalUrls,
    device: Json,
    meta: Json,
) -> Resource:
    """Return the Provenance of what one run wrote of one patient.

    ``recorded`` must be an instant: the start (UTC) of the run's day, not the clock's, so
    that the same input gives the same bytes.

    Parameters
    ----------
    record
        The patient: the notes and coded events that the run used.
    targets
        References to every resource written of the patient, Provenance aside.
    """
    notes = [
        {
            "role": "source",
            "what": {"extension": [digest_extension(note, urls)], **reference(note.source)},
        }
        for note in record.notes
    ]
    sources = sorted({event.source for event in record.events})
    events = [{"role": "source", "what": reference(source)} for source in sources]
    patient = {"role": "source", "what": reference(record.id, "Patient")}
    return identified(
        "Provenance",
        {
            "meta": meta,
            "target": list(targets),
            "occurredDateTime": as_of.isoformat(),
            "recorded": f"{as_of.isoformat()}T00:00:00Z",
            "activity": codeable("creación", coding(DATA_OPERATION, "CREATE")),
            "agent": [
                {
                    "type": codeable("autor", coding(PARTICIPANT_TYPE, "author")),
                    "who": device,
                }
            ],
            "entity": [patient, *notes, *events],
        },
    )
