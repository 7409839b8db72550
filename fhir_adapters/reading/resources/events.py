"""Condition, Encounter, FamilyMemberHistory and Procedure → dated, coded events."""

from __future__ import annotations

from clinical_nlp.records import CodedEvent, Coding, EventKind
from fhir_adapters.reading.codings import (
    code_of,
    coding,
    codings,
    concept_codings,
    relation,
    words_of,
)
from fhir_adapters.reading.dates import Dates, first_day, known_day, last_day
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
# R4's and R5's field, STU3's, DSTU2's
_RECORDED = ("recordedDate", "assertedDate", "dateRecorded")
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
    codes = codings(resource, "code") or words_of(resource, "code")
    require_code(codes)
    onset, onset_end = dates.span(resource, "onset")
    abated, abated_end = dates.span(resource, "abatement")
    recorded = next(filter(None, (dates.past(resource, field) for field in _RECORDED)), None)
    end = last_day(abated_end or abated or onset_end)
    if code_of(resource, "clinicalStatus") in _OVER:
        end = end_of_past(end, first_day(onset), first_day(recorded))
    event = CodedEvent(
        kind=EventKind.CONDITION,
        source=source_of(resource),
        codings=codes,
        start=first_day(onset),
        end=end,
        recorded=known_day(onset, recorded),
        negated=verification == "refuted",
        uncertain=verification in _UNCERTAIN,
    )
    return Facts(patient, (event,))


def reduce_encounter(resource: Json, dates: Dates) -> Facts:
    """Reduce an Encounter: class and types are its codes, reasons its coded values."""
    leave_out(resource, _NOT_HELD)
    patient = patient_id(resource)
    types = tuple(c for item in children(resource, "type") for c in concept_codings(item))
    reasons = tuple(c for item in _reasons(resource) for c in concept_codings(item))
    period = child(resource, "period") or child(resource, "actualPeriod")  # R5
    event = CodedEvent(
        kind=EventKind.ENCOUNTER,
        source=source_of(resource),
        codings=_setting(resource) + types,
        start=first_day(dates.past(period, "start")),
        end=last_day(dates.read(period, "end")),
        value_codings=reasons,
    )
    return Facts(patient, (event,))


def _setting(resource: Json) -> tuple[Coding, ...]:
    """Return the codes of ``class``: one Coding, in R5 a list of concepts."""
    if isinstance(resource.get("class"), list):
        return tuple(c for item in children(resource, "class") for c in concept_codings(item))
    setting = coding(child(resource, "class"))
    return (setting,) if setting else ()


def _reasons(resource: Json) -> list[Json]:
    """Return the concepts of an encounter's reasons: R4's, STU3's and R5's."""
    concepts = list(children(resource, "reasonCode"))
    for reason in children(resource, "reason"):
        values = children(reason, "value") if "value" in reason else []
        concepts += [child(value, "concept") for value in values] or [reason]
    return concepts


def reduce_family_history(resource: Json, dates: Dates) -> Facts:
    """Reduce a relative's history: one event for each condition that has a code.

    ``start`` stays empty: the onset is of the relative, mostly given as an age.
    """
    leave_out(resource, _NOTHING_KNOWN)
    if resource.get("notDone") is True:  # STU3
        raise LeftOut
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
    codes = codings(resource, "code") or words_of(resource, "code")
    require_code(codes)
    start, end = dates.span(resource, "performed")
    if start is None:
        start, end = dates.span(resource, "occurrence")  # R5
    event = CodedEvent(
        kind=EventKind.PROCEDURE,
        source=source_of(resource),
        codings=codes,
        start=first_day(start),
        end=last_day(end),
        recorded=known_day(start),
        # The latter two are of STU3 and DSTU2.
        negated=string(resource, "status") == "not-done"
        or resource.get("notDone") is True
        or resource.get("notPerformed") is True,
    )
    return Facts(patient, (event,))
