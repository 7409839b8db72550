"""Small invented records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from clinical_nlp.lexicon import Lexicon, load_lexicon
from clinical_nlp.records import (
    CodedEvent,
    Coding,
    EventKind,
    Finding,
    Note,
    NoteFindings,
    PatientRecord,
    Sex,
)
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.risk.timeline_builder import build_timeline

SYSTEMS = {
    "icd10": "http://hl7.org/fhir/sid/icd-10",
    "snomed": "http://snomed.info/sct",
    "icpc2": "http://hl7.org/fhir/sid/icpc-2",
    "loinc": "http://loinc.org",
    "atc": "http://www.whocc.no/atc",
}


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return load_lexicon()


@pytest.fixture
def note() -> Callable[..., NoteFindings]:
    """``note(day, text, ("disnea", "dyspnea", {"negated": True}), ...)``."""

    def make(day: date | None, text: str, *marks: tuple[str, str, dict[str, Any]]) -> NoteFindings:
        written = None if day is None else datetime(day.year, day.month, day.day, 9)
        name = f"DocumentReference/{day or 'undated'}-{abs(hash(text)) % 9973}"
        findings = []
        for words, concept, rest in marks:
            start = text.index(words)
            findings.append(Finding(start, start + len(words), words, concept, **rest))
        return NoteFindings(Note(name, "p1", text, written), tuple(findings))

    return make


@pytest.fixture
def event() -> Callable[..., CodedEvent]:
    """``event("condition", "icd10", "I50.9", date(2020, 1, 1))``."""

    def make(
        kind: str, system: str, code: str, start: date | None = None, **rest: Any
    ) -> CodedEvent:
        source = f"{kind.capitalize()}/{code}-{start}"
        return CodedEvent(
            EventKind(kind), source, (Coding(SYSTEMS.get(system, system), code),), start, **rest
        )

    return make


@pytest.fixture
def record() -> Callable[..., PatientRecord]:
    def make(*events: CodedEvent, **rest: Any) -> PatientRecord:
        fields: dict[str, Any] = {"sex": Sex.FEMALE, "birth_date": date(1944, 2, 1), **rest}
        return PatientRecord("p1", events=events, **fields)

    return make


@pytest.fixture
def timeline(lexicon: Lexicon, record: Callable[..., PatientRecord]) -> Callable[..., Timeline]:
    """``timeline(as_of, notes=[...], events=[...])``."""

    def make(
        as_of: date,
        notes: list[NoteFindings] | None = None,
        events: list[CodedEvent] | None = None,
    ) -> Timeline:
        return build_timeline(record(*(events or [])), notes or [], lexicon, as_of)

    return make
