"""Domain values ↔ the compact JSON in which the spool keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from clinical_nlp.records import CodedEvent, Coding, EventKind, Sex
from fhir_adapters.reading.resources.patient import Person


def pack_events(events: Sequence[CodedEvent]) -> str:
    """Pack the events of one resource; its reference is not repeated."""
    return json.dumps([_event_row(event) for event in events], separators=(",", ":"))


def unpack_events(text: str, source: str, drug: tuple[Coding, ...] = ()) -> list[CodedEvent]:
    """Rebuild the events of the resource ``source``; ``drug`` stands in where codes are awaited."""
    return [_event(row, source, drug) for row in json.loads(text)]


def pack_codings(codings: Sequence[Coding]) -> str:
    """Pack the codes of a Medication."""
    return json.dumps(_coding_rows(codings))


def unpack_codings(text: str) -> tuple[Coding, ...]:
    """Rebuild the codes of a Medication."""
    return _codings(json.loads(text))


def pack_person(person: Person) -> str:
    """Pack what is kept of a patient."""
    return json.dumps(
        [
            person.sex,
            _iso(person.birth_date),
            person.deceased,
            _iso(person.died),
            person.active,
        ],
    )


def unpack_person(text: str) -> Person:
    """Rebuild what is kept of a patient."""
    sex, birth, deceased, died, active = json.loads(text)
    return Person(Sex(sex), _day(birth), deceased, _day(died), active)


def _event_row(event: CodedEvent) -> list[Any]:
    return [
        event.kind,
        _coding_rows(event.codings),
        _iso(event.start),
        _iso(event.end),
        _iso(event.recorded),
        event.value,
        event.unit,
        event.comparator,
        _coding_rows(event.value_codings),
        event.negated,
        event.uncertain,
        event.relation,
    ]


def _event(row: list[Any], source: str, drug: tuple[Coding, ...]) -> CodedEvent:
    kind, codes, start, end, recorded, value, unit, comparator, coded, negated, unsure, rel = row
    return CodedEvent(
        kind=EventKind(kind),
        source=source,
        codings=_codings(codes) or drug,
        start=_day(start),
        end=_day(end),
        recorded=_day(recorded),
        value=value,
        unit=unit,
        comparator=comparator,
        value_codings=_codings(coded),
        negated=negated,
        uncertain=unsure,
        relation=rel,
    )


def _coding_rows(codings: Sequence[Coding]) -> list[list[str | None]]:
    return [[c.system, c.code, c.display] for c in codings]


def _codings(rows: list[list[str]]) -> tuple[Coding, ...]:
    return tuple(Coding(*row) for row in rows)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
