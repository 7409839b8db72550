from __future__ import annotations

from datetime import date
from pathlib import Path

from typer.testing import CliRunner

from clinical_nlp.cli.app import app
from clinical_nlp.simulation import load_stages_parameters, simulate_patients
from fhir_adapters.reading import BulkExport
from fhir_adapters.simulated.export import SimulatedExport


def test_export_of_stages_is_read_back_equal(tmp_path: Path) -> None:
    people = list(simulate_patients(40, 5, load_stages_parameters()))
    with SimulatedExport(tmp_path / "export") as writer:
        for person in people:
            writer.write(person.record, person.identity)
    with BulkExport(tmp_path / "export", today=date(2026, 1, 1)) as source:
        source.scan(lambda _: None)
        assert not list(source.problems())
        read = {record.id: record for record in source.records()}
    for person in people:
        got = read[person.record.id]
        assert sorted(got.events, key=repr) == sorted(person.record.events, key=repr)
        assert [note.text for note in got.notes] == [note.text for note in person.record.notes]


def test_simulate_mechanics_stages_writes_export_and_truth(tmp_path: Path) -> None:
    out = tmp_path / "export"
    options = ["--mechanics", "stages", "--service", "2", "--patients", "30", "--quiet"]
    result = CliRunner().invoke(app, ["simulate", str(out), *options])
    assert result.exit_code == 0, result.output
    truth = (tmp_path / "export.truth.csv").read_text("utf-8").splitlines()
    assert len(truth) == 31 and truth[1].startswith("t1-000000,")
    assert (out / "Patient.ndjson").read_text("utf-8").count("\n") == 30


def test_simulate_mechanics_stages_with_parameters_file_is_refused(tmp_path: Path) -> None:
    options = ["--mechanics", "stages", "--parameters", str(tmp_path / "p.toml")]
    result = CliRunner().invoke(app, ["simulate", str(tmp_path / "export"), *options])
    assert result.exit_code != 0
    assert not (tmp_path / "export").exists()
