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

    ``medication`` is the id of a Medication of the export whose codes the event awaits.
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


def coded(found: tuple[Coding, ...]) -> None:
    """Raise ``LeftOut`` for a resource without any code: only free text, which is not read."""
    if not found:
        raise LeftOut


def over_by(end: date | None, *known: date | None) -> date | None:
    """Return the day by which something that is over was over.

    Exports often say that it ended without saying when. Left open it would look as if it
    went on, so it ends on the last day that the resource itself speaks of.
    """
    return end or max((day for day in known if day is not None), default=None)
