"""Copied notes and values that no body has, from the export to the table of estimates."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

Here = Callable[..., int]

NOTE = """14/03/2024 10:20
Varón de 78 años. AP: HTA, insuficiencia cardíaca.
Se cansa algo más. Tensión bien. Sin fiebre.
Plan: seguir igual, control en tres meses."""
OTHER = "Cardiología: insuficiencia cardíaca estable. Se ajusta el tratamiento y se pide analítica."


def patient(name: str, born: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "gender": "female", "birthDate": born}


def note(name: str, day: str, text: str) -> dict[str, Any]:
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": f"{name}-{day}",
        "status": "current",
        "subject": {"reference": f"Patient/{name}"},
        "date": f"{day}T10:00:00+01:00",
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}],
    }


def weight(name: str, day: str, kilograms: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"{name}-{day}",
        "status": "final",
        "subject": {"reference": f"Patient/{name}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "effectiveDateTime": day,
        "valueQuantity": {"value": kilograms, "code": "kg"},
    }


LINES = [
    patient("copied", "1946-01-01"),
    note("copied", "2024-03-14", NOTE),
    note("copied", "2024-06-20", NOTE.replace("14/03/2024 10:20", "20/06/2024 11:05")),
    patient("grown", "1946-01-01"),
    note("grown", "2024-03-14", NOTE),
    note("grown", "2024-06-20", f"Catarro desde hace dos días, paracetamol.\n\n{NOTE}"),
    patient("named-twice", "1946-01-01"),
    note("named-twice", "2024-03-14", NOTE),
    note("named-twice", "2024-06-20", OTHER),
    patient("heavy", "1978-02-01"),
    weight("heavy", "2024-04-10", 70),
    weight("heavy", "2024-06-11", 152),
    patient("steady", "1978-02-01"),
    weight("steady", "2024-04-10", 70),
    weight("steady", "2024-06-11", 70.5),
]


@pytest.fixture
def estimates(tmp_path: Path, here: Here) -> dict[str, dict[str, Any]]:
    (tmp_path / "export").mkdir()
    lines = "\n".join(json.dumps(line) for line in LINES)
    (tmp_path / "export" / "all.ndjson").write_text(lines + "\n", encoding="utf-8")
    assert here("batch", "export", "--out", "out", "--quiet", "--threshold", "0") == 0
    rows = pq.read_table(tmp_path / "out" / "estimates.parquet").to_pylist()
    return {row["patient_id"]: row for row in rows}


def test_dirty_records(estimates: dict[str, dict[str, Any]]) -> None:
    status = {name: row["status"] for name, row in estimates.items()}
    assert status == {
        "copied": "suspected",
        "grown": "suspected",
        "named-twice": "diagnosed",
        "heavy": "scored",
        "steady": "scored",
    }
    named = "insuficiencia cardíaca nombrada en la nota del 14/03/2024"
    for name in ("copied", "grown"):
        assert estimates[name]["reasons"][0]["text"].startswith(named)
    heavy, steady = estimates["heavy"], estimates["steady"]
    assert heavy["probability"] < 2 * steady["probability"] < 0.02
    assert heavy["high"] < 0.1
    assert "peso 152 kg (11/06/2024), +82 kg en 2 meses" in heavy["missing"][0]
