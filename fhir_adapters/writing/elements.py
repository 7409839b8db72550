"""Build FHIR JSON from plain values; every primitive is built here, so that it is valid."""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from fhir_adapters.writing.urls import UCUM

#: A JSON object.
Json = dict[str, Any]

#: R4 ``id``: https://hl7.org/fhir/R4/datatypes.html#id
_LOCAL_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")

#: Ids are UUIDv5 (RFC 9562) in a namespace of ours; the name is the resource's content.
NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://clinical-nlp.example/fhir")

#: R4 value set quantity-comparator (required binding).
_COMPARATORS: Final = ("<", "<=", ">=", ">")

#: Significant digits of a quantity: more than any note states, few enough to drop the
#: noise of unit conversion (0.1 + 0.2).
_SIGNIFICANT_DIGITS = 10


def text_line(text: str) -> str:
    """Return text as a FHIR ``string``: no line breaks, control characters or outer spaces."""
    visible = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return " ".join(visible.split())


def reference(target: str, kind: str | None = None) -> Json:
    """Return a reference to a resource of the export or of this run.

    Exports hold ids that R4 forbids (``Patient/12_3``): such a resource cannot be the
    target of a literal reference, so it is named by a logical one.

    Parameters
    ----------
    target
        ``"Type/id"``.
    kind
        Type, for an id that stands alone.
    """
    name = target if kind is None else f"{kind}/{target}"
    if _LOCAL_REFERENCE.fullmatch(name):
        return {"reference": name}
    of_type, _, value = name.rpartition("/")
    logical: Json = {"identifier": {"value": text_line(value) or "?"}}
    return {"type": of_type, **logical} if of_type.isalpha() and of_type.isascii() else logical


def date_time(moment: datetime) -> str:
    """Return a ``dateTime``; the date alone where no time of day is known.

    That is: without a zone, which R4 requires with every time of day; at midnight in UTC,
    as which a date without a time is read; and in zones of the nineteenth century, with
    seconds or beyond 14 hours, which R4 cannot express.
    """
    offset = moment.utcoffset()
    if offset is None or (not offset and moment.time() == time()):
        return moment.date().isoformat()
    if offset % timedelta(minutes=1) or abs(offset) > timedelta(hours=14):
        return moment.date().isoformat()
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def period(start: date, days: int) -> Json:
    """Return the period of ``days`` from ``start``."""
    return {"start": start.isoformat(), "end": (start + timedelta(days=days)).isoformat()}


def number(value: float) -> float | int:
    """Return a number as JSON shows it: ``120`` and not ``120.0``."""
    rounded = float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
    if not math.isfinite(rounded):  # rounding carried the largest floats past the last one
        rounded = math.copysign(sys.float_info.max, value)
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def is_number(value: float | None) -> bool:
    """Return whether a number is finite: JSON has no NaN."""
    return value is not None and math.isfinite(value)


def quantity(value: float, unit: str | None, comparator: str | None = None) -> Json:
    """Return a ``Quantity`` in a UCUM unit (none where the unit is unknown)."""
    out: Json = {"value": number(value)}
    if comparator in _COMPARATORS:
        out["comparator"] = comparator
    if unit:
        out |= {"unit": unit, "system": UCUM, "code": unit}
    return out


def coding(system: str, code: str, display: str | None = None) -> Json:
    """Return a ``Coding``."""
    out = {"system": system, "code": code}
    if display:
        out["display"] = text_line(display)
    return out


def codeable(text: str, *codings: Json) -> Json:
    """Return a ``CodeableConcept``; it always has a text."""
    concept: Json = {"coding": list(codings)} if codings else {}
    concept["text"] = text_line(text)
    return concept


#: JSON without spaces; keys stay in the order they were put in. One encoder for the run:
#: ``json.dumps`` with these options would make one each time.
dumps: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource with the id that its content or its key gives it.

    Parameters
    ----------
    kind
        Resource type.
    id
        UUIDv5 of type and content (:func:`identified`) or of type and key (:func:`keyed`).
    body
        Everything but type and id.
    line
        The whole resource as JSON.
    """

    kind: str
    id: str
    body: Json
    line: str

    @property
    def reference(self) -> Json:
        """Reference to the resource."""
        return {"reference": f"{self.kind}/{self.id}"}


def identified(kind: str, body: Json) -> Resource:
    """Return a resource whose id is the UUIDv5 of its content.

    The same content has the same id on every machine and night, and another content
    (another text, span, model or rule version) another id. Resources refer to each other
    by id, so an id stands for everything below it.
    """
    content = dumps(body)
    name = str(_uuid5(f"{kind}{content}"))
    return Resource(kind, name, body, f'{{"resourceType":"{kind}","id":"{name}",{content[1:]}')


#: Elements that stand before ``identifier``, and it.
_HEAD: Final = ("meta", "extension", "identifier")


def keyed(kind: str, key: Sequence[str | int], body: Json, system: str | None = None) -> Resource:
    """Return a resource whose id is the UUIDv5 of its key, whatever its content.

    What is said again of the same thing, by another version or on another night, keeps its id:
    it is updated in place, and a server keeps the history.

    Parameters
    ----------
    key
        What the resource is about: the same parts, in the same order, are the same resource.
    system
        System of the ``identifier`` that repeats the id, for servers that give ids of their own;
        ``None`` for a type that R4 gives no identifier.
    """
    name = str(_uuid5(f"{kind}{dumps(list(key))}"))
    if system is not None:
        stated = [*body.get("identifier", ()), {"system": system, "value": name}]
        head = {part: body[part] for part in _HEAD if part in body}
        body = head | {"identifier": stated} | {k: v for k, v in body.items() if k not in _HEAD}
    return Resource(kind, name, body, f'{{"resourceType":"{kind}","id":"{name}",{dumps(body)[1:]}')


def _uuid5(name: str) -> uuid.UUID:
    # As uuid.uuid5, which refuses text that has no UTF-8 form (half a surrogate pair).
    digest = hashlib.sha1(
        NAMESPACE.bytes + name.encode("utf-8", "surrogatepass"), usedforsecurity=False
    ).digest()
    return uuid.UUID(bytes=digest[:16], version=5)
