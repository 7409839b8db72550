"""Options from a file and the environment, and which of them counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from clinical_nlp.cli import config
from clinical_nlp.cli.app import app
from clinical_nlp.errors import UsageError


def root() -> typer.Context:
    return typer.Context(typer.main.get_command(app))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "night.toml"
    path.write_text(text)
    return path


def invoke(*arguments: str, **environment: str) -> Any:
    return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.mark.parametrize(
    ("in_file", "in_environment", "on_line", "counts"),
    [
        ("", None, None, "36"),
        ("max-age = 20", None, None, "20"),
        ("max_age = 20", None, None, "20"),
        ("max-age = 20", "15", None, "15"),
        ("", "15", None, "15"),
        ("max-age = 20", "15", "10", "10"),
    ],
)
def test_options_count_in_order_line_environment_file_default(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_file: str,
    in_environment: str | None,
    on_line: str | None,
    counts: str,
) -> None:
    seen: list[float] = []
    monkeypatch.setattr(
        "clinical_nlp.batch.status.NightStatus.exit_code_now",
        lambda self, max_age: seen.append(max_age) or 0,
    )
    out = tmp_path / "out"
    out.mkdir()
    (out / "run.json").write_text(
        '{"finished": "2026-01-01T00:00:00+00:00", "as_of": "2026-01-01", "quarantined": {},'
        ' "patients": {}, "notes": {}, "model": {}, "seconds": {}}'
    )
    path = write(tmp_path, f"[status]\n{in_file}\n")
    environment = {"CLINICAL_NLP_STATUS_MAX_AGE": in_environment} if in_environment else {}
    line = ["--max-age", on_line] if on_line else []
    done = invoke("--config", str(path), "status", str(out), *line, **environment)
    assert done.exit_code == 0, done.output
    assert seen == [float(counts)]


def test_file_may_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, '[batch]\nout = "results"\nas-of = 2026-03-01\nmentions = true\n')
    monkeypatch.setenv(config.FILE_VARIABLE, str(path))
    assert config.load(root(), None) == {
        "batch": {"out": "results", "as_of": "2026-03-01", "mentions": True}
    }


def test_lists_in_the_environment_are_separated_as_in_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLINICAL_NLP_BATCH_CONCEPT_MAP", "a.json:b.json")
    assert config.load(root(), None)["batch"]["concept_map"] == ["a.json", "b.json"]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("[batch]\nkeep-night = 3\n", "E143", "'keep-nights'"),
        ("[batch]\nexport = 'x'\n", "E143", "no option of batch"),
        ("[writeback]\n", "E142", "'[write-back]'"),
        ("batch = 3\n", "E142", "'[batch]'"),
        ("[batch\n", "E141", "TOML"),
        ("[batch]\nkeep-nights = 0\n", "E144", "keep-nights of [batch]"),
        ("[batch]\nprocesses = 'many'\n", "E144", "processes of [batch]"),
        ("[batch]\nas-of = 'soon'\n", "E144", "as-of of [batch]"),
    ],
)
def test_check_names_what_is_wrong(tmp_path: Path, text: str, code: str, says: str) -> None:
    done = invoke("config", "check", str(write(tmp_path, text)))
    assert isinstance(done.exception, UsageError)
    assert done.exception.code == code
    assert says in done.exception.message


def test_check_of_a_right_file_counts_its_values(tmp_path: Path) -> None:
    text = "[batch]\nkeep-nights = 3\nas-of = 2026-03-01\n[write-back]\nworkers = 2\n"
    done = invoke("config", "check", str(write(tmp_path, text)))
    assert (done.exit_code, done.stdout) == (0, "3 values can be used.\n")


def test_a_wrong_key_stops_the_command_itself(tmp_path: Path) -> None:
    path = write(tmp_path, "[status]\nmax-ages = 3\n")
    done = invoke("--config", str(path), "status", "out")
    assert isinstance(done.exception, UsageError)
    assert done.exception.code == "E143"


def test_show_says_where_each_value_comes_from(tmp_path: Path) -> None:
    path = write(tmp_path, "[batch]\nkeep-nights = 3\nprocesses = 2\n")
    done = invoke("--config", str(path), "config", "show", CLINICAL_NLP_BATCH_PROCESSES="4")
    lines = done.stdout.splitlines()
    assert f"keep-nights = 3  # {path}" in lines
    assert 'processes = "4"  # CLINICAL_NLP_BATCH_PROCESSES' in lines
    assert "max-age = 36  # default" in lines


def test_every_configured_command_exists() -> None:
    command: Any = typer.main.get_command(app)
    assert set(config.COMMANDS) <= set(command.commands)
