"""Builds exports in a temporary folder and reads them whole."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clinical_nlp.records import PatientRecord, Problem, SourceSummary
from fhir_adapters.reading import BulkExport

TODAY = date(2024, 6, 1)
#: Planted in every free field; must never appear in the reader's output.
CANARY = "CANARIO-7F3A"


@dataclass
class Reading:
    """All that one pass over an export gave."""

    summary: SourceSummary
    records: dict[str, PatientRecord]
    problems: list[Problem]
    codes: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.codes = [problem.code for problem in self.problems]

    def notes(self, patient: str = "good") -> list[str]:
        return [note.text for note in self.records[patient].notes]


def read_export(folder: Path, **options: Any) -> Reading:
    """Read an export and check the laws that hold of every export."""
    with BulkExport(folder, **{"today": TODAY} | options) as export:
        progress: list[int] = []
        summary = export.scan(progress.append)
        records = list(export.records())
        problems = list(export.problems())
        assert sum(progress) == export.size()
    assert all(counts.adds_up() for counts in summary.types.values()), summary.types
    assert summary.lines == sum(counts.seen for counts in summary.types.values())
    assert summary.patients == len(records)
    assert summary.notes == sum(len(record.notes) for record in records)
    assert [record.id for record in records] == sorted(record.id for record in records)
    quarantined = sum(counts.quarantined for counts in summary.types.values())
    assert len(problems) >= quarantined
    assert [(p.file, p.line) for p in problems] == sorted((p.file, p.line) for p in problems)
    for problem in problems:
        assert CANARY not in repr(problem)
        assert problem.reason.endswith(".")
    return Reading(summary, {record.id: record for record in records}, problems)


def patient(id_: str = "good", **fields: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id_, "name": [{"family": CANARY}]} | fields


def note(
    id_: str, text: str | bytes = "Tos seca.", about: str = "good", **fields: Any
) -> dict[str, Any]:
    data = text.encode() if isinstance(text, str) else text
    attachment = {"contentType": "text/plain", "data": base64.b64encode(data).decode()}
    return attached(id_, [attachment], about, **fields)


def attached(
    id_: str, attachments: Iterable[dict[str, Any]], about: str = "good", **fields: Any
) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": id_,
        "status": "current",
        "description": CANARY,
        "subject": {"reference": f"Patient/{about}", "display": CANARY},
        "content": [{"attachment": attachment} for attachment in attachments],
    } | fields


def binary(id_: str, data: bytes, media: str = "text/plain", **fields: Any) -> dict[str, Any]:
    packed = base64.b64encode(data).decode()
    return {"resourceType": "Binary", "id": id_, "contentType": media, "data": packed} | fields


def coded(type_: str, id_: str, snomed: str = "1", about: str = "good", **fields: Any) -> dict:
    concept = {"coding": [{"system": "http://snomed.info/sct", "code": snomed}], "text": CANARY}
    return {
        "resourceType": type_,
        "id": id_,
        "subject": {"reference": f"Patient/{about}"},
        "code": concept,
        "note": [{"text": CANARY}],
    } | fields


class Export:
    """A folder of NDJSON files under way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def write(self, name: str, *lines: dict[str, Any] | str | bytes) -> Path:
        """Write one file; resources become lines, text and bytes are lines as they are."""
        content = b"".join(_line(line) + b"\n" for line in lines)
        path = self.folder / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    def read(self, **options: Any) -> Reading:
        return read_export(self.folder, **options)


def _line(line: dict[str, Any] | str | bytes) -> bytes:
    if isinstance(line, bytes):
        return line
    return (line if isinstance(line, str) else json.dumps(line)).encode()


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """An empty export folder."""
    return Export(tmp_path / "export")


@pytest.fixture
def make() -> type[Make]:
    """The makers of resources."""
    return Make


class Make:
    """Makers of resources, as tests cannot import from this file."""

    canary = CANARY
    today = TODAY
    patient = staticmethod(patient)
    note = staticmethod(note)
    attached = staticmethod(attached)
    binary = staticmethod(binary)
    coded = staticmethod(coded)
    read = staticmethod(read_export)
    Export = Export
