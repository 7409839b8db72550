"""What a reducer of coded resources returns, and the rules they share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clinical_nlp.records import CodedEvent, Coding
from fhir_adapters.reading.defects import LeftOut
from fhir_adapters.reading.shape import Json, string


@dataclass(frozen=True, slots=True)
class Facts:
    """The coded events of one resource.

    ``medication`` is the id of the Medication of the export that has the event's codes.
    """

    patient: str
    events: tuple[CodedEvent, ...]
    medication: str | None = None


def source_of(resource: Json) -> str:
    """Return the resource's reference, ``"Condition/12"``."""
    return f"{resource['resourceType']}/{resource['id']}"


def leave_out(resource: Json, statuses: frozenset[str]) -> None:
    """Raise ``LeftOut`` where the resource's status is one of these."""
    if string(resource, "status") in statuses:
        raise LeftOut


def require_code(codes: tuple[Coding, ...]) -> None:
    """Raise ``LeftOut`` for a resource without any code: only free text, which is not read."""
    if not codes:
        raise LeftOut


def end_of_past(end: date | None, *known: date | None) -> date | None:
    """Return the end of something whose status says that it is over.

    Exports often state that it ended without a date. Left open it would seem to continue, so
    it ends on the last day that the resource itself names.
    """
    return end or max((day for day in known if day is not None), default=None)
