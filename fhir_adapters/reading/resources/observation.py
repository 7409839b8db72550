"""Observation → measurements and observed facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from clinical_nlp.records import CodedEvent, Coding, EventKind
from fhir_adapters.reading.codings import codings, says_absent
from fhir_adapters.reading.dates import Dates, first_day, last_day
from fhir_adapters.reading.defects import LeftOut
from fhir_adapters.reading.references import patient_id
from fhir_adapters.reading.resources.facts import Facts, coded, leave_out, source_of
from fhir_adapters.reading.shape import Json, child, children, number, string

# https://hl7.org/fhir/R4/valueset-observation-status.html: ordered only, or withdrawn
_NO_RESULT = frozenset({"registered", "cancelled", "entered-in-error"})
# https://hl7.org/fhir/R4/valueset-quantity-comparator.html
_COMPARATORS = frozenset({"<", "<=", ">=", ">"})
# A number that a system sent as text, with the decimal comma of Spain.
_NUMBER = re.compile(r"\s*(<=|>=|<|>)?\s*([+-]?[0-9]{1,12}(?:[.,][0-9]{1,6})?)\s*")


@dataclass(frozen=True, slots=True)
class _Value:
    number: float | None = None
    unit: str | None = None
    comparator: str | None = None
    codings: tuple[Coding, ...] = ()
    negated: bool = False


def reduce_observation(resource: Json, dates: Dates) -> Facts:
    """Reduce an Observation; each component becomes an event of its own.

    A panel without a value of its own (blood pressure) gives its components only. An
    observation about someone else (``focus``: a fetus, a donor) is left out.
    """
    leave_out(resource, _NO_RESULT)
    patient = patient_id(resource)
    if children(resource, "focus"):
        raise LeftOut
    start, end = dates.span(resource, "effective")
    issued = dates.past(resource, "issued")
    source = source_of(resource)
    days = (first_day(start or issued), last_day(end), first_day(issued))
    components = children(resource, "component")
    events = [_event(source, item, days) for item in components if _has_result(item)]
    if _has_result(resource) or not components:
        events.insert(0, _event(source, resource, days))
    events = [event for event in events if event.codings]
    if "dataAbsentReason" in resource and not any(map(_tells, events)):
        raise LeftOut
    coded(events[0].codings if events else ())
    return Facts(patient, tuple(events))


def _has_result(item: Json) -> bool:
    return any(field.startswith("value") for field in item)


def _tells(event: CodedEvent) -> bool:
    return event.value is not None or bool(event.value_codings)


def _event(
    source: str, item: Json, days: tuple[date | None, date | None, date | None]
) -> CodedEvent:
    value = _value(item)
    start, end, recorded = days
    return CodedEvent(
        kind=EventKind.OBSERVATION,
        source=source,
        codings=codings(item, "code"),
        start=start,
        end=end,
        recorded=recorded,
        value=value.number,
        unit=value.unit,
        comparator=value.comparator,
        value_codings=value.codings,
        negated=value.negated,
    )


def _value(item: Json) -> _Value:
    """Read ``value[x]``; free text that is no number is not taken."""
    if "valueQuantity" in item:
        quantity = child(item, "valueQuantity")
        comparator = string(quantity, "comparator")
        return _Value(
            number(quantity, "value"),
            string(quantity, "code") or string(quantity, "unit"),
            comparator if comparator in _COMPARATORS else None,
        )
    if "valueCodeableConcept" in item:
        found = codings(item, "valueCodeableConcept")
        return _Value(codings=found, negated=says_absent(found))
    if "valueInteger" in item:
        return _Value(number(item, "valueInteger"))
    if "valueBoolean" in item:
        return _Value(negated=item["valueBoolean"] is False)
    if match := _NUMBER.fullmatch(string(item, "valueString") or ""):
        return _Value(float(match[2].replace(",", ".")), comparator=match[1])
    return _Value()
