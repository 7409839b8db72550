"""Planted names and phrases are searched for in everything that a run writes and prints."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAME = "Canariona"
IDENTIFIER = "CIP-CANARIO-7731"
PHRASE = "zumbonpalabro"
CANARIES = (NAME, IDENTIFIER, PHRASE)

Cli = Callable[..., subprocess.CompletedProcess[str]]


def note(text: bytes, **attachment: str) -> dict[str, Any]:
    content = {
        "contentType": "text/plain; charset=utf-8",
        "data": base64.b64encode(text).decode(),
    } | attachment
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": "Patient/p1"},
        "date": "2024-03-01T10:00:00+01:00",
        "content": [{"attachment": content}],
    }


def export(folder: Path) -> Path:
    """Canaries in every place, good resources and broken ones."""
    text = (
        f"{NAME} refiere {PHRASE} y disnea de esfuerzo. {IDENTIFIER}. Edemas maleolares, "
        "ortopnea. TA 16/9."
    ).encode()
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "gender": "female",
        "birthDate": "1940-05-02",
        "name": [{"family": NAME, "text": PHRASE}],
        "identifier": [{"system": "urn:cip", "value": IDENTIFIER}],
    }
    documents = [
        note(text) | {"id": "good"},
        note(text, contentType=f"text/plain; charset={PHRASE}") | {"id": "charset"},
        note(text, contentType="application/pdf") | {"id": "pdf"},
        note(text, data=f"###{PHRASE}###") | {"id": "base64"},
        note(text) | {"id": "orphan", "subject": {"reference": f"Patient/{IDENTIFIER}"}},
        note(text) | {"id": "date", "date": PHRASE},
        note(text) | {"id": "no-subject", "subject": {"display": NAME}},
        note(text, url=f"Binary/{PHRASE}", data="") | {"id": "url"},
        note(b"{\\rtf1 " + text, contentType="application/rtf") | {"id": "rtf"},
        note(b"<p>" + text, contentType="text/html") | {"id": "html"},
    ]
    others = [
        {
            "resourceType": "Condition",
            "id": "c1",
            "subject": {"reference": "Patient/p1"},
            "code": {"text": PHRASE, "coding": [{"system": PHRASE, "code": NAME}]},
            "onsetDateTime": "2023",
        },
        {
            "resourceType": "Observation",
            "id": "o1",
            "status": "final",
            "subject": {"reference": "Patient/p1"},
            "code": {"text": NAME},
            "valueString": PHRASE,
            "effectiveDateTime": PHRASE,
        },
    ]
    folder.mkdir()
    lines = [json.dumps(r) for r in (patient, *documents, *others)]
    lines += ['{"resourceType": "Observation", "' + PHRASE, f'"{NAME}"', "[1]"]
    (folder / "all.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory, cli: Cli
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("canaries")
    export(folder / "export")
    return folder, cli("batch", "export", "--out", "out", "--show", "5", cwd=folder, code=3)


def readable(path: Path) -> str:
    """Everything in a file, SQLite's pages and Parquet's columns included."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return str(pq.read_table(path).to_pylist())
    if path.suffix == ".db":
        with sqlite3.connect(path) as database:
            return "\n".join(database.iterdump())
    return path.read_bytes().decode("utf-8", "replace")


def test_no_output_or_log_holds_a_canary(
    ran: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = ran
    written = {p: readable(p) for p in folder.rglob("*") if p.is_file() and "export" not in p.parts}
    assert any(p.name == "mlflow.db" for p in written), "the registry must have been used"
    assert any("disnea" in text for text in written.values()), "the notes must have been read"
    written |= {Path("stdout"): done.stdout, Path("stderr"): done.stderr}
    leaks = [
        (str(path), canary)
        for path, text in written.items()
        for canary in CANARIES
        if canary.casefold() in text.casefold()
        # The reference of a resource to its patient is the export's own id: it must be
        # told for the data engineer to find the resource, and is a reference, not text.
    ]
    assert not leaks


def test_canaries_were_read_by_the_pipeline(
    ran: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = ran
    quarantined = [
        json.loads(line) for line in (folder / "out" / "quarantine.ndjson").read_text().splitlines()
    ]
    resources = {row["resource"] for row in quarantined}
    assert {"DocumentReference/pdf", "DocumentReference/base64"} <= resources
    assert sum(row["line"] is not None for row in quarantined) >= 6


def test_results_are_readable_by_owner_only(
    ran: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = ran
    for path in [folder / "out", *(folder / "out").rglob("*")]:
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_unforeseen_error_withholds_its_message(tmp_path: Path, cli: Cli) -> None:
    """An error nobody foresaw, raised with the note's text in its message."""
    export(tmp_path / "export")
    (tmp_path / "sitecustomize.py").write_text(
        "import clinical_nlp.batch.job as job\n"
        "def broken(*args, **kwargs):\n"
        f"    raise LookupError({PHRASE!r})\n"
        "job.run = broken\n"
    )
    os.environ["PYTHONPATH"] = str(tmp_path)
    try:
        done = cli("batch", "export", "--out", "out", cwd=tmp_path, code=70)
    finally:
        del os.environ["PYTHONPATH"]
    assert "E999 unforeseen LookupError" in done.stderr
    assert PHRASE not in done.stdout + done.stderr
    assert not (tmp_path / "out" / "run.json").exists()
