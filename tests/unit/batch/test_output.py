"""The folder of results is replaced whole or left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinical_nlp.batch.output import OutputFolder
from clinical_nlp.errors import OutputError


def write_run(folder: Path, **files: str) -> None:
    with OutputFolder(folder) as output:
        for name, text in files.items():
            (output.staging / name.replace("_", ".")).write_text(text)
        output.publish()


def test_output_folder_publish_puts_private_results_in_place(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_run(folder, run_json="{}", report_html="x")
    assert (folder / "report.html").read_text() == "x"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "run.json").stat().st_mode & 0o777 == 0o600


def test_output_folder_second_run_replaces_first(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with OutputFolder(folder) as output:
        (output.staging / "fhir").mkdir()
        (output.staging / "fhir" / "Task.ndjson").write_text("old")
        (output.staging / "run.json").write_text("{}")
        output.publish()
    with OutputFolder(folder) as output:
        (output.staging / "fhir").mkdir()
        (output.staging / "run.json").write_text("{}")
        output.publish()
    assert not (folder / "fhir" / "Task.ndjson").exists()


def test_output_folder_failed_run_keeps_earlier_results(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_run(folder, run_json="old")
    with pytest.raises(RuntimeError), OutputFolder(folder) as output:
        (output.staging / "run.json").write_text("new")
        raise RuntimeError
    assert (folder / "run.json").read_text() == "old"
    assert not (folder / ".partial").exists()


def test_output_folder_with_other_files_raises_e501(tmp_path: Path) -> None:
    (tmp_path / "thesis.odt").write_text("x")
    with pytest.raises(OutputError, match="E501"), OutputFolder(tmp_path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.odt"]


def test_output_folder_of_running_run_raises_e502(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with OutputFolder(folder), pytest.raises(OutputError, match="E502"), OutputFolder(folder):
        pass


def test_output_folder_clears_leftovers_of_killed_run(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / ".partial").mkdir(parents=True)
    (folder / ".partial" / "spool.sqlite").write_text("text of notes")
    write_run(folder, run_json="{}")
    assert not (folder / ".partial").exists()


def test_output_folder_that_is_a_file_raises_e503(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="E503"), OutputFolder(tmp_path / "out"):
        pass
