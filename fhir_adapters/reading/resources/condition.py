"""Condition → a dated diagnosis."""

from __future__ import annotations

from clinical_nlp.records import CodedEvent, EventKind
from fhir_adapters.reading.codings import code_of, codings
from fhir_adapters.reading.dates import Dates, first_day, last_day
from fhir_adapters.reading.defects import LeftOut
from fhir_adapters.reading.references import patient_id
from fhir_adapters.reading.resources.facts import Facts, end_of_past, require_code, source_of
from fhir_adapters.reading.shape import Json

# https://hl7.org/fhir/R4/valueset-condition-ver-status.html
_UNCERTAIN = frozenset({"unconfirmed", "provisional", "differential"})
# https://hl7.org/fhir/R4/valueset-condition-clinical.html
_OVER = frozenset({"inactive", "remission", "resolved"})


def reduce_condition(resource: Json, dates: Dates) -> Facts:
    """Reduce a Condition: refuted ones are negated, unconfirmed ones uncertain."""
    verification = code_of(resource, "verificationStatus")
    if verification == "entered-in-error":
        raise LeftOut
    patient = patient_id(resource)
    codes = codings(resource, "code")
    require_code(codes)
    onset, onset_end = dates.span(resource, "onset")
    abated, abated_end = dates.span(resource, "abatement")
    recorded = dates.past(resource, "recordedDate")
    end = last_day(abated_end or abated or onset_end)
    if code_of(resource, "clinicalStatus") in _OVER:
        end = end_of_past(end, first_day(onset), first_day(recorded))
    event = CodedEvent(
        kind=EventKind.CONDITION,
        source=source_of(resource),
        codings=codes,
        start=first_day(onset),
        end=end,
        recorded=first_day(recorded),
        negated=verification == "refuted",
        uncertain=verification in _UNCERTAIN,
    )
    return Facts(patient, (event,))
