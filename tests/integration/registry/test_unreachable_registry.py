"""The nightly batch, whole, on a night on which the registry's server does not answer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from servers import free_port
from small_models import small_folder, small_parts
from typer.testing import CliRunner

from clinical_nlp import load
from clinical_nlp.artifacts import MODEL_FOLDER
from clinical_nlp.cli.app import app
from clinical_nlp.pipeline.assembly import fingerprint
from clinical_nlp.records import ModelReference
from clinical_nlp.registry import DEFAULT_URI
from clinical_nlp.registry.cache import cache_model
from clinical_nlp.simulation import simulate_patients
from fhir_adapters.simulated.export import SimulatedExport


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An export to read, and the URL of a server that refuses every connection."""
    with SimulatedExport(tmp_path / "export") as export:
        for person in simulate_patients(8, 3):
            export.write(person.record, person.identity)
    url = f"http://user:secret@127.0.0.1:{free_port()}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    before = os.umask(0o077)  # the batch sets one, for the whole process
    yield url
    os.umask(before)


def test_batch_without_registry_uses_last_verified_model_and_warns(night, tmp_path):
    digest = small_folder(tmp_path / "trained", small_parts(pipeline=fingerprint(load())))
    reference = ModelReference("hf-risk", "7", "models:/hf-risk/7", digest)
    verified = cache_model(night, DEFAULT_URI, reference, tmp_path / "trained" / MODEL_FOLDER)

    done = CliRunner().invoke(app, ["batch", "export", "--out", "out", "--quiet"])
    assert done.exit_code == 0, done.output
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("Warning: "))
    assert "E401" in line and "models:/hf-risk/7" in line and verified in line
    assert "secret" not in done.output

    out = tmp_path / "out"
    told = json.loads((out / "run.json").read_text())["model"]
    assert (told["source"], told["verified"], told["version"]) == ("last verified", verified, "7")
    assert told["digest"] == digest and told["warning"] == line.removeprefix("Warning: ")
    page = BeautifulSoup((out / "report.html").read_text("utf-8"), "html.parser")
    (alert,) = page.select("header [role=alert]")
    words = " ".join(alert.get_text(" ").split())
    assert "E401" in words and "versión 7" in words and "(UTC)" in words
    estimates = pd.read_parquet(out / "estimates.parquet")
    assert estimates.model_digest.unique().tolist() == [digest]
    scored = estimates[estimates.status == "scored"]
    assert len(scored) and (scored.low <= scored.probability).all()


def test_batch_without_registry_or_cached_model_fails(night, tmp_path):
    done = CliRunner().invoke(app, ["batch", "export", "--out", "out", "--quiet"])
    assert getattr(done.exception, "code", None) == "E401"
    assert not (tmp_path / "out" / "run.json").exists()
