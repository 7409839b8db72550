"""Procedure → something done, or stated not to have been done."""

from __future__ import annotations

from clinical_nlp.records import CodedEvent, EventKind
from fhir_adapters.reading.codings import codings
from fhir_adapters.reading.dates import Dates, first_day, last_day
from fhir_adapters.reading.references import patient_id
from fhir_adapters.reading.resources.facts import Facts, leave_out, require_code, source_of
from fhir_adapters.reading.shape import Json, string

# https://hl7.org/fhir/R4/valueset-event-status.html: not begun, or never meant
_NOT_BEGUN = frozenset({"preparation", "entered-in-error"})


def reduce_procedure(resource: Json, dates: Dates) -> Facts:
    """Reduce a Procedure; ``not-done`` is negated."""
    leave_out(resource, _NOT_BEGUN)
    patient = patient_id(resource)
    codes = codings(resource, "code")
    require_code(codes)
    start, end = dates.span(resource, "performed")
    event = CodedEvent(
        kind=EventKind.PROCEDURE,
        source=source_of(resource),
        codings=codes,
        start=first_day(start),
        end=last_day(end),
        negated=string(resource, "status") == "not-done",
    )
    return Facts(patient, (event,))
