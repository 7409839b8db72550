"""Observation → measurements and observed facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clinical_nlp.records import CodedEvent, Coding, EventKind
from fhir_adapters.reading.codings import (
    PRESSURE_PANELS,
    PRESSURE_PARTS,
    canonical_uri,
    codes_mean_absent,
    codings,
    word_means_absent,
)
from fhir_adapters.reading.dates import Dates, first_day, known_day, last_day
from fhir_adapters.reading.defects import Defect, LeftOut, Unusable
from fhir_adapters.reading.quantities import TextValue, read_pressure, read_value
from fhir_adapters.reading.references import patient_id
from fhir_adapters.reading.resources.facts import Facts, leave_out, source_of
from fhir_adapters.reading.shape import Json, child, children, number, string

# https://hl7.org/fhir/R4/valueset-observation-status.html: ordered only, or withdrawn
_NO_RESULT = frozenset({"registered", "cancelled", "entered-in-error"})
# https://hl7.org/fhir/R4/valueset-quantity-comparator.html
_COMPARATORS = frozenset({"<", "<=", ">=", ">"})


@dataclass(frozen=True, slots=True)
class _Value:
    number: float | None = None
    unit: str | None = None
    comparator: str | None = None
    codings: tuple[Coding, ...] = ()
    negated: bool = False
    other: float | None = None


def reduce_observation(resource: Json, dates: Dates) -> Facts:
    """Reduce an Observation; each component becomes an event of its own.

    A panel without a value of its own (blood pressure) gives its components only. Left out
    are observations about someone else (``focus``: a fetus, a donor), without a code, and
    those whose value is absent or of a kind that is not read: without it they would state
    that the thing observed is present.
    """
    leave_out(resource, _NO_RESULT)
    patient = patient_id(resource)
    if children(resource, "focus"):
        raise LeftOut
    start, end = dates.span(resource, "effective")
    issued = dates.past(resource, "issued")
    days = (first_day(start or issued), last_day(end), known_day(start, issued))
    components = children(resource, "component")
    is_panel = bool(components) and not _has_value(resource)
    items = components if is_panel else [resource, *components]
    if not components:
        items = _pressures(resource) or items
    built = (_event(source_of(resource), item, days) for item in items)
    events = tuple(event for event in built if event is not None)
    if not events:
        raise LeftOut
    return Facts(patient, events)


def _pressures(resource: Json) -> list[Json]:
    """Return the components of a blood pressure that was sent as one text: '150/90'."""
    text = resource.get("valueString")
    if not isinstance(text, str) or (pair := read_pressure(text)) is None:
        return []
    codes = {(canonical_uri(c.system), c.code.strip()) for c in codings(resource, "code")}
    if codes.isdisjoint(PRESSURE_PANELS):
        return []
    return [
        {
            "code": {"coding": [{"system": system, "code": code}]},
            "valueQuantity": {"value": value, "code": "mm[Hg]"},
        }
        for (system, code), value in zip(PRESSURE_PARTS, pair, strict=True)
    ]


def _has_value(item: Json) -> bool:
    return any(field.startswith("value") for field in item)


def _event(
    source: str, item: Json, days: tuple[date | None, date | None, date | None]
) -> CodedEvent | None:
    """Return the event of an Observation or a component; ``None`` without code or value."""
    codes, value = codings(item, "code"), _value(item)
    if not codes or value is None:
        return None
    start, end, recorded = days
    return CodedEvent(
        kind=EventKind.OBSERVATION,
        source=source,
        codings=codes,
        start=start,
        end=end,
        recorded=recorded,
        value=value.number,
        unit=value.unit,
        comparator=value.comparator,
        value_codings=value.codings,
        negated=value.negated,
        other_value=value.other,
    )


def _value(item: Json) -> _Value | None:
    """Read ``value[x]``; ``None`` where it is absent with a reason, or cannot be read.

    No value at all is a value: some systems state a finding by its code alone.
    """
    if "valueQuantity" in item:
        return _quantity(child(item, "valueQuantity"))
    if "valueCodeableConcept" in item:
        codes = codings(item, "valueCodeableConcept")
        if codes:
            return _Value(codings=codes, negated=codes_mean_absent(codes))
        return _text_value(string(child(item, "valueCodeableConcept"), "text"))
    if "valueInteger" in item:
        return _Value(number(item, "valueInteger"))
    if "valueBoolean" in item:
        if not isinstance(item["valueBoolean"], bool):
            raise Unusable(Defect.BAD_SHAPE, field="valueBoolean")
        return _Value(negated=not item["valueBoolean"])
    if "valueString" in item:
        return _text_value(string(item, "valueString"))
    return None if _has_value(item) or "dataAbsentReason" in item else _Value()


def _quantity(quantity: Json) -> _Value | None:
    unit = string(quantity, "code") or string(quantity, "unit")
    comparator = string(quantity, "comparator")
    comparator = comparator if comparator in _COMPARATORS else None
    if isinstance(quantity.get("value"), str):  # FHIR wants a number
        read = read_value(quantity["value"])
        if read is None:
            raise Unusable(Defect.BAD_SHAPE, field="valueQuantity.value")
        return _number(read, unit, comparator)
    value = number(quantity, "value")
    return None if value is None else _Value(value, unit, comparator)


def _number(read: TextValue, unit: str | None = None, comparator: str | None = None) -> _Value:
    value, *others = read.values
    other = others[0] if others else None
    return _Value(value, unit or read.unit, comparator or read.comparator, other=other)


def _text_value(text: str | None) -> _Value | None:
    """Read a value given as text: a number, or a word for present or absent."""
    if read := read_value(text or ""):
        return _number(read)
    absent = word_means_absent(text or "")
    return None if absent is None else _Value(negated=absent)
