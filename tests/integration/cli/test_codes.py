"""``clinical-nlp codes`` and ``--concept-map``, over a small export with a service's own codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clinical_nlp.cli.app import app

LOCAL = "urn:oid:1.2.3.4"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Eight patients with heart failure and a drug, both in codes of the service's own."""
    folder = tmp_path / "export"
    folder.mkdir()
    rows = []
    for number in range(8):
        about = {"reference": f"Patient/p{number}"}
        code = {"coding": [{"system": LOCAL, "code": "DX-100", "display": "IC"}]}
        drug = {"coding": [{"system": LOCAL, "code": "F1"}]}
        rows += [
            {"resourceType": "Patient", "id": f"p{number}"},
            {
                "resourceType": "Condition", "id": f"c{number}", "subject": about, "code": code,
                "recordedDate": "2024-01-02",
            },
            {
                "resourceType": "MedicationRequest", "id": f"m{number}", "subject": about,
                "status": "active", "intent": "order", "medicationCodeableConcept": drug,
                "authoredOn": "2024-01-02",
            },
        ]  # fmt: skip
    (folder / "all.ndjson").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return folder


@pytest.fixture
def concept_map(tmp_path: Path) -> Path:
    def group(code: str, target: str, standard: str) -> dict:
        mapped = [{"code": standard, "equivalence": "equivalent"}]
        return {
            "source": "1.2.3.4",
            "target": target,
            "element": [{"code": code, "target": mapped}],
        }

    groups = [
        group("DX-100", "urn:oid:2.16.724.4.21.5.29", "I50.9"),
        group("F1", "http://www.whocc.no/atc", "C03CA01"),
    ]
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"resourceType": "ConceptMap", "group": groups}), "utf-8")
    return path


def test_codes_tells_unknown_systems_and_the_remedy(export, tmp_path):
    report = tmp_path / "codes.json"
    done = CliRunner().invoke(app, ["codes", str(export), "--json", str(report)])
    assert done.exit_code == 0, done.output
    assert "DX-100" in done.output and "--concept-map" in done.output
    assert json.loads(report.read_text("utf-8"))["kinds"]["condition"]["unknown"] == 8


def test_codes_with_a_concept_map_recognises_all(export, concept_map, tmp_path):
    report = tmp_path / "codes.json"
    options = ["--concept-map", str(concept_map), "--json", str(report)]
    done = CliRunner().invoke(app, ["codes", str(export), *options])
    assert done.exit_code == 0, done.output
    found = json.loads(report.read_text("utf-8"))
    assert found["kinds"]["condition"]["recognised"] == 8
    assert found["kinds"]["medication"]["recognised"] == 8
    assert found["heart_failure"] == {LOCAL: 8}
    assert "--concept-map" not in done.output


def test_batch_with_a_concept_map_reports_the_diagnosed(export, concept_map, tmp_path):
    out = tmp_path / "out"
    options = ["--concept-map", str(concept_map), "--no-reader", "--out", str(out)]
    done = CliRunner().invoke(app, ["batch", str(export), *options])
    assert done.exit_code in (0, 8), done.output
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert run["patients"]["diagnosed"] == 8
    assert run["codes"]["concept_map"]
