"""Condition, Encounter, FamilyMemberHistory and Procedure → dated, coded events."""

from __future__ import annotations

from clinical_nlp.records import CodedEvent, EventKind
from fhir_adapters.reading.codings import code_of, coding, codings, concept_codings, relation
from fhir_adapters.reading.dates import Dates, first_day, last_day
from fhir_adapters.reading.defects import LeftOut
from fhir_adapters.reading.references import patient_id
from fhir_adapters.reading.resources.facts import (
    Facts,
    end_of_past,
    leave_out,
    require_code,
    source_of,
)
from fhir_adapters.reading.shape import Json, child, children, string

# https://hl7.org/fhir/R4/valueset-condition-ver-status.html
_UNCERTAIN = frozenset({"unconfirmed", "provisional", "differential"})
# https://hl7.org/fhir/R4/valueset-condition-clinical.html
_OVER = frozenset({"inactive", "remission", "resolved"})
# https://hl7.org/fhir/R4/valueset-encounter-status.html: did not take place
_NOT_HELD = frozenset({"planned", "cancelled", "entered-in-error"})
# https://hl7.org/fhir/R4/valueset-history-status.html
_NOTHING_KNOWN = frozenset({"entered-in-error", "health-unknown"})
# https://hl7.org/fhir/R4/valueset-event-status.html: not begun, or never meant
_NOT_BEGUN = frozenset({"preparation", "entered-in-error"})


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


def reduce_family_history(resource: Json, dates: Dates) -> Facts:
    """Reduce a relative's history: one event for each condition that has a code.

    ``start`` stays empty: the onset is of the relative, mostly given as an age.
    """
    leave_out(resource, _NOTHING_KNOWN)
    patient = patient_id(resource, "patient")
    relative = relation(codings(resource, "relationship"))
    recorded = first_day(dates.past(resource, "date"))
    events = tuple(
        CodedEvent(
            kind=EventKind.FAMILY_HISTORY,
            source=source_of(resource),
            codings=codes,
            recorded=recorded,
            relation=relative,
        )
        for condition in children(resource, "condition")
        if (codes := codings(condition, "code"))
    )
    if not events:
        raise LeftOut
    return Facts(patient, events)


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
