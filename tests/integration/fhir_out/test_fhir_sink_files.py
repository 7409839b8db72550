"""The folder that a run leaves: private, whole, the same every time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clinical_nlp.batch.ports import ResultSink
from clinical_nlp.errors import OutputError
from clinical_nlp.records import PatientResult
from clinical_nlp.risk.bands import load_bands
from fhir_adapters.writing import FhirSink

Write = Callable[..., Any]


@pytest.fixture
def new_sink(tmp_path: Path, make_sink: Callable[..., FhirSink]) -> Callable[..., FhirSink]:
    return lambda **more: make_sink(tmp_path / "fhir", **more)


def files(folder: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in folder.iterdir()}


def test_fhir_sink_satisfies_result_sink(new_sink: Callable[..., FhirSink]) -> None:
    sink: ResultSink = new_sink()
    assert sink.close()["fhir/Device.ndjson"] == 2


def test_sink_same_results_give_same_bytes(write: Write, results: list[PatientResult]) -> None:
    first, second = write("a", results), write("b", results)
    assert files(first.folder) == files(second.folder)
    assert len(files(first.folder)) == 9


def test_sink_checking_every_resource_changes_nothing(
    write: Write, results: list[PatientResult]
) -> None:
    every = write("a", results, check_every=True)
    assert files(every.folder) == files(write("b", results).folder)


def test_sink_files_are_private(write: Write, results: list[PatientResult]) -> None:
    folder = write("a", results).folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {f.stat().st_mode & 0o777 for f in folder.iterdir()} == {0o600}


def test_sink_counts_equal_lines(
    new_sink: Callable[..., FhirSink], tmp_path: Path, results: list[PatientResult]
) -> None:
    sink = new_sink()
    for result in results:
        sink.write(result)
    counts = sink.close()
    lines = {
        f"fhir/{name}": len(text.splitlines()) for name, text in files(tmp_path / "fhir").items()
    }
    assert counts == lines


def test_sink_files_have_final_name_only_after_close(
    new_sink: Callable[..., FhirSink], tmp_path: Path, results: list[PatientResult]
) -> None:
    sink = new_sink()
    sink.write(results[0])
    assert {f.suffix for f in (tmp_path / "fhir").iterdir()} == {".part"}
    sink.close()
    assert {f.suffix for f in (tmp_path / "fhir").iterdir()} == {".ndjson"}


def test_sink_interrupted_run_leaves_no_files(
    new_sink: Callable[..., FhirSink], tmp_path: Path, results: list[PatientResult]
) -> None:
    with pytest.raises(RuntimeError), new_sink() as sink:
        sink.write(results[0])
        raise RuntimeError
    assert files(tmp_path / "fhir") == {}


def test_sink_removes_files_of_earlier_run(
    new_sink: Callable[..., FhirSink], tmp_path: Path, results: list[PatientResult]
) -> None:
    sink = new_sink()
    sink.write(results[0])
    sink.close()
    assert (tmp_path / "fhir" / "Task.ndjson").exists()
    new_sink()  # broke off: only .part files
    sink = new_sink()
    sink.write(results[2])
    counts = sink.close()
    assert counts["fhir/Task.ndjson"] == 0
    assert not (tmp_path / "fhir" / "Task.ndjson").exists()
    assert not list((tmp_path / "fhir").glob("*.part"))


def test_sink_uncreatable_folder_raises_output_error(
    tmp_path: Path, make_sink: Callable[..., FhirSink]
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"E511.*run again"):
        make_sink(tmp_path / "file" / "fhir")


def test_sink_unpublished_band_raises_e522(
    tmp_path: Path, make_sink: Callable[..., FhirSink], results: list[PatientResult]
) -> None:
    few = tuple(band for band in load_bands() if band.key != "markedly_raised")
    sink = make_sink(
        tmp_path / "fhir", bands=type(load_bands())(few, "1", "draft", 365, 0.01, 0.03)
    )
    with pytest.raises(OutputError, match="E522"):
        sink.write(results[0])
