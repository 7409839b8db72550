"""The simulated export against our reader and against the FHIR validator."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from clinical_nlp.cli.simulate import simulate
from clinical_nlp.errors import UsageError
from clinical_nlp.records import PatientRecord
from clinical_nlp.simulation import SimulatedPatient, simulate_patients
from clinical_nlp.simulation.simulator import TRUTH_COLUMNS
from fhir_adapters.reading import BulkExport
from fhir_adapters.simulated.export import SimulatedExport

PATIENTS, SEED = 60, 5


@pytest.fixture(scope="module")
def people() -> list[SimulatedPatient]:
    return list(simulate_patients(PATIENTS, SEED))


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory, people: list[SimulatedPatient]) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "export"
    with SimulatedExport(folder) as writer:
        for person in people:
            writer.write(person.record, person.identity)
    return folder


@pytest.fixture(scope="module")
def read_back(export: Path) -> dict[str, PatientRecord]:
    with BulkExport(export, today=date(2026, 1, 1)) as source:
        summary = source.scan(lambda _: None)
        assert not list(source.problems())
        assert all(counts.adds_up() for counts in summary.types.values())
        assert summary.latest is not None and summary.latest <= date(2024, 12, 31)
        return {record.id: record for record in source.records()}


def test_export_events_read_back_equal(
    people: list[SimulatedPatient], read_back: dict[str, PatientRecord]
) -> None:
    for person in people:
        got = read_back[person.record.id]
        assert sorted(got.events, key=repr) == sorted(person.record.events, key=repr)
        assert (got.sex, got.birth_date) == (person.record.sex, person.record.birth_date)
        assert (got.deceased, got.died) == (person.record.deceased, person.record.died)


def test_export_notes_read_back_in_any_charset_or_markup(
    people: list[SimulatedPatient], read_back: dict[str, PatientRecord]
) -> None:
    changed = 0
    for person in people:
        got = {note.key: note for note in read_back[person.record.id].notes}
        assert set(got) == {note.key for note in person.record.notes}
        for note in person.record.notes:
            other = got[note.key]
            assert other.text.split() == note.text.split()
            assert (other.written, other.language) == (note.written, note.language)
            changed += other.text != note.text
    # HTML folds white space; everything else is exact.
    assert changed < 0.05 * sum(len(p.record.notes) for p in people)


def test_export_holds_several_charsets_and_formats(export: Path) -> None:
    lines: list[str] = []
    for path in export.glob("DocumentReference.*"):
        data = path.read_bytes()
        plain = gzip.decompress(data) if path.suffix == ".gz" else data
        lines += plain.decode("utf-8").splitlines()
    kinds: Counter[str] = Counter()
    for line in lines:
        for mark in ("windows-1252", "iso-8859-1", "text/html", "rtf", '"url":"Binary/'):
            kinds[mark] += mark in line
    assert all(kinds[mark] for mark in ("windows-1252", "iso-8859-1", "text/html", "rtf"))
    assert kinds['"url":"Binary/']


def test_export_into_nonempty_folder_raises_e113(export: Path) -> None:
    with pytest.raises(UsageError, match="E113"):
        SimulatedExport(export)


def test_export_passes_fhir_validator(export: Path, shared: Path, tmp_path: Path) -> None:
    validator = shared / "tools" / "fhir-validate" / "fhir-validate"
    if not validator.exists():
        pytest.skip("the FHIR validator is not beside the checkout")
    files = []
    for path in sorted(export.iterdir()):
        plain = tmp_path / path.name.removesuffix(".gz")
        data = path.read_bytes()
        plain.write_bytes(gzip.decompress(data) if path.suffix == ".gz" else data)
        files.append(plain)
    done = subprocess.run(
        [validator, "--summary", *files], capture_output=True, text=True, check=False
    )
    if "npm" in done.stderr and done.returncode != 1:
        pytest.skip("the FHIR validator cannot be installed here")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-500:]


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(simulate)
    return app


def test_simulate_command_writes_export_and_truth_apart(tmp_path: Path) -> None:
    out = tmp_path / "export"
    done = CliRunner().invoke(_app(), ["--patients", "12", "--seed", "3", str(out)])
    assert done.exit_code == 0, done.output
    truth = (tmp_path / "export.truth.csv").read_text(encoding="utf-8").splitlines()
    assert truth[0].split(",") == list(TRUTH_COLUMNS)
    assert len(truth) == 13
    assert not list(out.glob("*truth*"))
    assert (tmp_path / "export.truth.csv").stat().st_mode & 0o077 == 0


_DIGEST = """
import hashlib, sys
from pathlib import Path
from clinical_nlp.simulation import simulate_patients
from fhir_adapters.simulated.export import SimulatedExport
out = Path(sys.argv[1])
with SimulatedExport(out) as export:
    for person in simulate_patients(25, seed=8):
        export.write(person.record, person.identity)
total = hashlib.sha256()
for path in sorted(out.iterdir()):
    total.update(path.name.encode() + path.read_bytes())
print(total.hexdigest())
"""


def test_export_is_identical_under_any_hash_seed(tmp_path: Path) -> None:
    digests = set()
    for number, hash_seed in enumerate(("0", "1", "4242")):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", _DIGEST, str(tmp_path / str(number))],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == len(hashlib.sha256().hexdigest())
