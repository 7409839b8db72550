"""FamilyMemberHistory → the relatives' conditions."""

from __future__ import annotations

from clinical_nlp.records import CodedEvent, EventKind
from fhir_adapters.reading.codings import codings, relation
from fhir_adapters.reading.dates import Dates, first_day
from fhir_adapters.reading.defects import LeftOut
from fhir_adapters.reading.references import patient_id
from fhir_adapters.reading.resources.facts import Facts, leave_out, source_of
from fhir_adapters.reading.shape import Json, children

# https://hl7.org/fhir/R4/valueset-history-status.html
_NOTHING_KNOWN = frozenset({"entered-in-error", "health-unknown"})


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
