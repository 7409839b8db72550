"""MedicationRequest and MedicationStatement → a drug, from when to when."""

from __future__ import annotations

from datetime import date

from clinical_nlp.records import CodedEvent, Coding, EventKind
from fhir_adapters.reading.codings import code_of, codings
from fhir_adapters.reading.dates import Dates, first_day, known_day, last_day
from fhir_adapters.reading.defects import Defect, LeftOut, Unusable
from fhir_adapters.reading.references import contained, parse_reference, patient_id
from fhir_adapters.reading.resources.facts import (
    Facts,
    end_of_past,
    leave_out,
    require_code,
    source_of,
)
from fhir_adapters.reading.shape import Json, child, children, string

# https://hl7.org/fhir/R4/valueset-medicationrequest-status.html: never came into force
_NEVER_ORDERED = frozenset({"cancelled", "draft", "entered-in-error"})
# https://hl7.org/fhir/R4/valueset-medicationrequest-intent.html: no decision to treat
_NO_ORDER = frozenset({"proposal", "option"})
# https://hl7.org/fhir/R4/valueset-medication-statement-status.html
_NEVER_TAKEN = frozenset({"intended", "entered-in-error", "draft"})  # draft: R5
# Fields of DSTU2 and of drafts of STU3
_NOT_TAKEN = ("wasNotTaken", "notTaken", "wasNotGiven")
_OVER = frozenset({"completed", "stopped", "ended"})  # ended: R5


def reduce_medication_request(resource: Json, dates: Dates) -> Facts:
    """Reduce an order: it runs from ``authoredOn`` to the end of its validity."""
    leave_out(resource, _NEVER_ORDERED)
    if string(resource, "intent") in _NO_ORDER:
        raise LeftOut
    patient = patient_id(resource)
    codes, medication = _drug(resource)
    authored = dates.past(resource, "authoredOn")
    validity = child(child(resource, "dispenseRequest"), "validityPeriod")
    start = authored or dates.past(validity, "start")
    end = last_day(dates.read(validity, "end")) or _dosage_end(resource, dates)
    if string(resource, "status") in _OVER:
        end = end_of_past(end, first_day(start))
    event = CodedEvent(
        kind=EventKind.MEDICATION,
        source=source_of(resource),
        codings=codes,
        start=first_day(start),
        end=end,
        recorded=known_day(start, authored),
        negated=resource.get("doNotPerform") is True,
    )
    return Facts(patient, (event,), medication)


def reduce_medication_statement(resource: Json, dates: Dates) -> Facts:
    """Reduce a statement of what is taken; ``not-taken`` is negated.

    Whether it is taken, R4 says by ``status``, STU3 by ``taken``, R5 by ``adherence``, DSTU2 by
    ``wasNotTaken``.
    """
    leave_out(resource, _NEVER_TAKEN)
    patient = patient_id(resource)
    codes, medication = _drug(resource)
    start, stop = dates.span(resource, "effective")
    asserted = dates.past(resource, "dateAsserted")
    status = string(resource, "status")
    adherence = code_of(child(resource, "adherence"), "code") or ""
    taken = string(resource, "taken")
    end = last_day(stop)
    if status in _OVER or adherence.startswith("stopped"):
        end = end_of_past(end, first_day(start), first_day(asserted))
    event = CodedEvent(
        kind=EventKind.MEDICATION,
        source=source_of(resource),
        codings=codes,
        start=first_day(start),
        end=end,
        recorded=known_day(start, asserted),
        negated=status == "not-taken"
        or adherence == "not-taking"
        or taken == "n"
        or any(resource.get(field) is True for field in _NOT_TAKEN),
        uncertain=taken in ("unk", "na") or adherence == "unknown",
    )
    return Facts(patient, (event,), medication)


def _drug(resource: Json) -> tuple[tuple[Coding, ...], str | None]:
    """Return the drug's codes, or the id of the Medication in the export that has them."""
    either = child(resource, "medication")  # R5 has both in one field
    codes = codings(resource, "medicationCodeableConcept") or codings(either, "concept")
    referred = child(resource, "medicationReference") or child(either, "reference")
    text = string(referred, "reference")
    if codes or text is None:
        require_code(codes)
        return codes, None
    reference = parse_reference(text)
    if reference is None or reference.type not in (None, "Medication"):
        raise Unusable(Defect.NO_MEDICATION)
    if not reference.contained:
        return (), reference.id
    codes = codings(contained(resource, reference.id) or {}, "code")
    require_code(codes)
    return codes, None


def _dosage_end(resource: Json, dates: Dates) -> date | None:
    ends = (
        last_day(dates.read(child(repeat, "boundsPeriod"), "end"))
        for dosage in children(resource, "dosageInstruction")
        if (repeat := child(child(dosage, "timing"), "repeat"))
    )
    return max((end for end in ends if end is not None), default=None)
