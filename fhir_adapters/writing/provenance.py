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


def reading_provenance(
    record: PatientRecord, targets: Sequence[Json], as_of: date, run: RunElements
) -> Resource:
    """Return the Provenance of what was read in a patient's notes.

    Parameters
    ----------
    record
        The patient and the notes that the run read.
    targets
        References to what was read of the patient, at least one.
    """
    return _provenance(_notes(record, run), targets, as_of, run, run.reader)


def estimate_provenance(
    record: PatientRecord, targets: Sequence[Json], as_of: date, run: RunElements
) -> Resource:
    """Return the Provenance of a patient's RiskAssessment and Task.

    Parameters
    ----------
    record
        The patient: the notes and coded events that the run used.
    targets
        References to both, at least one.
    """
    events = [reference(source) for source in sorted({event.source for event in record.events})]
    return _provenance([*_notes(record, run), *events], targets, as_of, run, run.model, run.card)


def _notes(record: PatientRecord, run: RunElements) -> list[Json]:
    urls = run.vocabulary.urls
    notes = [
        {"extension": [digest_extension(note, urls)], **reference(note.source)}
        for note in record.notes
    ]
    return [reference(record.id, "Patient"), *notes]


def _provenance(
    sources: Sequence[Json],
    targets: Sequence[Json],
    as_of: date,
    run: RunElements,
    agent: Json,
    card: Json | None = None,
) -> Resource:
    # ``recorded`` must be an instant: the start (UTC) of the run's day, not the clock's, so
    # that the same input gives the same bytes.
    author = codeable("autor", coding(PARTICIPANT_TYPE, "author"))
    entities = [{"role": "source", "what": source} for source in sources]
    if card is not None:
        entities.append({"role": "derivation", "what": card})
    return identified(
        "Provenance",
        {
            "meta": {"profile": [AI_PROVENANCE_PROFILE], **run.meta},
            "target": list(targets),
            "occurredDateTime": as_of.isoformat(),
            "recorded": f"{as_of.isoformat()}T00:00:00Z",
            "reason": [reason()],
            "activity": codeable("creación", coding(DATA_OPERATION, "CREATE")),
            "agent": [{"type": author, "role": [artificial_intelligence()], "who": agent}],
            "entity": entities,
        },
    )
