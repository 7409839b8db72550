"""A real R4 validator has the last word."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clinical_nlp.lexicon.lexicon import load_lexicon
from clinical_nlp.records import Finding, Note, NoteFindings, PatientRecord, PatientResult
from fhir_adapters.writing import FhirSink
from fhir_adapters.writing.vocabulary import load_vocabulary


@pytest.fixture(scope="session")
def complaints(shared: Path) -> Callable[[Sequence[Path]], str]:
    """Run the validator; return its complaints, and the count of resources, as one text."""
    tool = shared / "tools" / "fhir-validate" / "fhir-validate"
    if not tool.exists() or shutil.which("node") is None:
        pytest.skip("needs the validator and node")
    # Told to validate nothing, it only installs itself: no network is no failure of ours.
    if subprocess.run([tool, "/dev/null"], capture_output=True, timeout=300).returncode:
        pytest.skip("the validator cannot be installed here")

    def run(files: Sequence[Path]) -> str:
        done = subprocess.run(
            [tool, "--summary", *files], capture_output=True, text=True, timeout=300
        )
        return done.stdout + done.stderr

    return run


@pytest.mark.shared
def test_validator_finds_no_error(written: Any, complaints: Callable[..., str]) -> None:
    report = complaints(sorted(written.folder.glob("*.ndjson")))
    assert report.startswith(f"{len(written.resources)} resources, 0 with errors"), report


@pytest.mark.shared
def test_validator_finds_planted_error(
    written: Any, complaints: Callable[..., str], tmp_path: Path
) -> None:
    line = (written.folder / "Task.ndjson").read_text("utf-8").splitlines()[0]
    (tmp_path / "Task.ndjson").write_text(line.replace('"proposal"', '"suggestion"'), "utf-8")
    assert "1 with errors" in complaints([tmp_path / "Task.ndjson"])


@pytest.mark.shared
def test_validator_accepts_every_concept(
    make_sink: Callable[..., FhirSink],
    estimate_of: Callable[..., Any],
    complaints: Callable[..., str],
    tmp_path: Path,
) -> None:
    catalogue = load_lexicon().concepts
    note = Note("DocumentReference/n", "p", "x" * 2000, datetime(2024, 1, 1, tzinfo=UTC))
    findings = tuple(
        Finding(
            i,
            i + 1,
            "x",
            c.key,
            value=1.5 if c.unit else None,
            unit=c.unit,
            source="reader",
            probability=0.5731,
        )
        for i, c in enumerate(catalogue.values())
    )
    result = PatientResult(
        PatientRecord("p", notes=(note,)), (NoteFindings(note, findings),), estimate_of("p", 0.5)
    )
    sink = make_sink(tmp_path, concepts=catalogue)
    sink.write(result)
    assert sink.close()["fhir/Observation.ndjson"] == len(catalogue)
    observations = (tmp_path / "Observation.ndjson").read_text("utf-8")
    assert observations.count('"valueDecimal":0.5731') == len(catalogue)
    report = complaints(sorted(tmp_path.glob("*.ndjson")))
    assert "0 with errors" in report.splitlines()[0], report


def test_vocabulary_covers_catalogue() -> None:
    catalogue, words = load_lexicon().concepts, load_vocabulary()
    assert {c.category for c in catalogue.values()} <= set(words.categories)
    assert set(words.measurement_categories) <= set(catalogue)
    assert {s for c in catalogue.values() for s in c.codes} <= set(words.systems)
