"""Encounter → a contact, with its reasons."""

from __future__ import annotations

from clinical_nlp.records import CodedEvent, EventKind
from fhir_adapters.reading.codings import coding, concept_codings
from fhir_adapters.reading.dates import Dates, first_day, last_day
from fhir_adapters.reading.references import patient_id
from fhir_adapters.reading.resources.facts import Facts, leave_out, source_of
from fhir_adapters.reading.shape import Json, child, children

# https://hl7.org/fhir/R4/valueset-encounter-status.html: did not take place
_NOT_HELD = frozenset({"planned", "cancelled", "entered-in-error"})


def reduce_encounter(resource: Json, dates: Dates) -> Facts:
    """Reduce an Encounter: class and types are its codes, reasons its coded values."""
    leave_out(resource, _NOT_HELD)
    patient = patient_id(resource)
    setting = coding(child(resource, "class"))
    types = tuple(c for item in children(resource, "type") for c in concept_codings(item))
    reasons = tuple(c for item in children(resource, "reasonCode") for c in concept_codings(item))
    period = child(resource, "period")
    event = CodedEvent(
        kind=EventKind.ENCOUNTER,
        source=source_of(resource),
        codings=((setting,) if setting else ()) + types,
        start=first_day(dates.past(period, "start")),
        end=last_day(dates.read(period, "end")),
        value_codings=reasons,
    )
    return Facts(patient, (event,))
