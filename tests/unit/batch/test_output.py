"""The folder of results is replaced whole or left as it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from clinical_nlp.artifacts import published
from clinical_nlp.batch.output import OutputFolder
from clinical_nlp.errors import OutputError


def write_run(folder: Path, keep: int = 7, **files: str) -> None:
    with OutputFolder(folder, keep) as output:
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


class Killed(BaseException):
    """The process ends here."""


#: What changes something on the disk; pathlib and shutil call these.
CHANGES = ("mkdir", "rename", "replace", "symlink", "unlink", "rmdir", "fsync", "open")


@pytest.mark.parametrize("earlier", ["none", "runs", "plain files"])
def test_a_kill_at_any_step_leaves_one_whole_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: str
) -> None:
    steps = 0
    while steps < 500:
        folder = tmp_path / f"out-{steps}"
        prepare(folder, earlier)
        if not publish_until_killed(folder, monkeypatch, steps):
            break
        seen = read_run(folder)
        assert seen in [("new", "new", "new"), expected_before(earlier)], f"step {steps}"
        write_run(folder, run_json="last", report_html="last")  # nothing blocks the next night
        assert read_run(folder) == ("last", "last", None)
        steps += 1
    assert 15 < steps < 500


def prepare(folder: Path, earlier: str) -> None:
    if earlier == "runs":
        write_run(folder, run_json="old", report_html="old", mentions_parquet="old")
    elif earlier == "plain files":
        folder.mkdir()
        for name in ("run.json", "report.html", "mentions.parquet"):
            (folder / name).write_text("old")


def expected_before(earlier: str) -> tuple[str | None, ...]:
    return (None, None, None) if earlier == "none" else ("old", "old", "old")


def read_run(folder: Path) -> tuple[str | None, ...]:
    """What a reader finds; of plain files the run that a kill left half taken in is whole."""
    names = ("run.json", "report.html", "mentions.parquet")
    places = [published(folder), folder]
    return tuple(
        next((p.read_text() for place in places if (p := place / name).exists()), None)
        for name in names
    )


def publish_until_killed(folder: Path, patch: pytest.MonkeyPatch, steps: int) -> bool:
    output = OutputFolder(folder)
    output.__enter__()
    for name in ("run.json", "report.html", "mentions.parquet"):
        (output.staging / name).write_text("new")
    left = steps
    with patch.context() as patched:
        for name in CHANGES:
            real = getattr(os, name)

            def counted(*given: object, real: Any = real, **rest: object) -> object:
                nonlocal left
                if left == 0:
                    raise Killed
                left -= 1
                return real(*given, **rest)

            patched.setattr(os, name, counted)
        try:
            output.publish()
        except Killed:
            killed = True
        else:
            killed = False
    assert output._lock is not None
    output._lock.close()  # as the system does
    return killed


def test_all_files_are_on_the_disk_before_the_link_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut loses what was not synchronised: a link must not outlive its files."""
    synced: set[str] = set()
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        synced.add(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real_fsync(descriptor)

    def replace(old: Any, new: Any) -> None:
        if Path(new).name == "current":
            assert {"run.json", "Task.ndjson", "fhir", "runs"} <= synced
            synced.add("link moved")
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    with OutputFolder(tmp_path / "out") as output:
        (output.staging / "fhir").mkdir()
        (output.staging / "fhir" / "Task.ndjson").write_text("{}")
        (output.staging / "run.json").write_text("{}")
        output.publish()
    assert "link moved" in synced


def test_runs_beyond_those_kept_are_removed_and_never_the_current(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for number in range(5):
        write_run(folder, run_json=str(number), keep=3)
    kept = sorted((folder / "runs").iterdir())
    assert [(run / "run.json").read_text() for run in kept] == ["2", "3", "4"]
    assert (folder / "run.json").read_text() == "4"


def test_who_has_opened_a_run_keeps_it_when_the_next_is_published(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_run(folder, run_json="old")
    opened = published(folder)
    write_run(folder, run_json="new")
    assert (opened / "run.json").read_text() == "old"
    assert (published(folder) / "run.json").read_text() == "new"


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
