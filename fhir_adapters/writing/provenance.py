"""The origin of a patient's resources as ``Provenance``: agent, date and sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from clinical_nlp.records import PatientRecord
from fhir_adapters.writing.ai_transparency import artificial_intelligence, reason
from fhir_adapters.writing.elements import Json, Resource, codeable, coding, identified, reference
from fhir_adapters.writing.source_note import digest_extension
from fhir_adapters.writing.urls import AI_PROVENANCE_PROFILE, DATA_OPERATION, PARTICIPANT_TYPE
from fhir_adapters.writing.vocabulary import RunElements


def provenance(
    record: PatientRecord, targets: Sequence[Json], as_of: date, run: RunElements
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
    urls = run.vocabulary.urls
    sources = [
        reference(record.id, "Patient"),
        *(
            {"extension": [digest_extension(note, urls)], **reference(note.source)}
            for note in record.notes
        ),
        *(reference(source) for source in sorted({event.source for event in record.events})),
    ]
    author = codeable("autor", coding(PARTICIPANT_TYPE, "author"))
    entities = [{"role": "source", "what": source} for source in sources]
    if run.card is not None:
        entities.append({"role": "derivation", "what": run.card})
    agent = {"type": author, "role": [artificial_intelligence()], "who": run.device}
    return identified(
        "Provenance",
        {
            "meta": {"profile": [AI_PROVENANCE_PROFILE], **run.meta},
            "target": list(targets),
            "occurredDateTime": as_of.isoformat(),
            "recorded": f"{as_of.isoformat()}T00:00:00Z",
            "reason": [reason()],
            "activity": codeable("creación", coding(DATA_OPERATION, "CREATE")),
            "agent": [agent],
            "entity": entities,
        },
    )
