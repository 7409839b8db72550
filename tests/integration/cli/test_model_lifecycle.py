"""A service's data team, through the commands: train, recalibrate, promote, score, roll back."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from clinical_nlp.artifacts import shipped_folder
from clinical_nlp.cli.app import app
from clinical_nlp.registry.manifest import verified_digest
from clinical_nlp.registry.store import mlflow_client
from clinical_nlp.simulation import load_parameters, simulate_patients
from fhir_adapters.simulated.export import SimulatedExport

#: The shipped recipe, as lean as the steps allow. Everyone's notes are read: the export
#: holds every case of its patients and few of the others.
LEAN = {
    "controls_share": "1.0",
    "train": "0.5",
    "calibration": "0.25",
    "families": '["logistic"]',
    "strengths": "[0.01]",
    "folds": "2",
    "bootstrap": "20",
    "members": "10",
}

Run = Callable[..., Result]


def lean_recipe() -> str:
    text = (shipped_folder("hf-risk") / "recipe.toml").read_text("utf-8")
    for name, value in LEAN.items():
        text, found = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        assert found == 1, name
    return text


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder the team works in, with its export and its recipe."""
    folder = tmp_path_factory.mktemp("service")
    parameters = load_parameters()
    people = simulate_patients(600, 5, parameters.as_of(parameters.end))
    with SimulatedExport(folder / "export") as export:
        for number, person in enumerate(people):
            if person.truth.coded is not None or number % 25 == 0:
                export.write(person.record, person.identity)
    (folder / "recipe.toml").write_text(lean_recipe(), "utf-8")
    before = os.umask(0o077)  # the batch sets one, for the whole process
    yield folder
    os.umask(before)


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in that folder; its exit code, or its error's, must be the one expected."""
    monkeypatch.chdir(home)
    # By its whole path: MLflow keeps one open store for each URI it is given in a process.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home / 'mlflow.db'}")

    def invoke(*arguments: str, error: str | None = None) -> Result:
        done = CliRunner().invoke(app, list(arguments))
        assert getattr(done.exception, "code", None) == error or done.exit_code == 0, done.output
        return done

    return invoke


def decisions(run: Run) -> list[str]:
    """What the history tells, oldest first, without the day."""
    return [
        line.split("  ")[1] for line in reversed(run("registry", "history").stdout.splitlines())
    ]


@pytest.mark.slow
def test_model_lifecycle_from_export_to_champion_and_back(run: Run, home: Path) -> None:
    # Train: the folder is whole, and the run in MLflow tells what it cost.
    # The audit has tests of its own: over so few patients, chance may look like a leak.
    done = run("train", "risk", "export", "--config", "recipe.toml", "--out", "mine", "--no-audit")
    assert "model: AUROC" in done.stdout and "Chosen: logistic." in done.stdout
    digest = verified_digest(home / "mine")
    metrics = json.loads((home / "mine" / "metrics.json").read_text("utf-8"))
    assert metrics["cohort"] == "patients of 1 FHIR export"
    assert all(part["outcomes"] >= 2 for part in metrics["parts"].values())
    client = mlflow_client(f"sqlite:///{home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("hf-risk")
    (logged,) = client.search_runs([experiment.experiment_id])
    assert logged.data.tags["clinical_nlp.digest"] == digest
    assert logged.data.metrics["energy.kwh"] > 0 and logged.data.metrics["energy.seconds"] > 1
    assert "energy.json" in {item.path for item in client.list_artifacts(logged.info.run_id)}
    card = (home / "mine" / "card.md").read_text("utf-8")
    assert "kWh" in card.partition("## Energy")[2].partition("\n## ")[0]

    # Recalibrate on the same service's patients, through the command.
    done = run("recalibrate", "mine", "export", "--config", "recipe.toml", "--out", "moved")
    assert "Recalibrated: slope 1.000" in done.stdout and "after: calibration" in done.stdout
    moved = verified_digest(home / "moved")
    assert moved != digest

    # The gate refuses what so few outcomes cannot show; who overrules it answers for it.
    run("registry", "register", "mine", "--description", "first")
    run("registry", "promote", "--by", "ana", "--why", "ours", error="E406")
    run("registry", "promote", "--by", "ana", "--why", "a trial", "--force")
    run("registry", "register", "moved")
    told = run("registry", "compare").stdout
    assert "FAIL  same test patients" in told and "The gate would refuse it." in told
    run("registry", "promote", "--by", "ana", "--why", "local level", error="E406")
    told = run("registry", "promote", "--by", "ana", "--why", "minutes of 3 May", "--force").stdout
    assert "Champion is now version 2 with --force, against the gate (before: 1)" in told

    # Tonight's batch scores with it, and tomorrow's would with the one before.
    run("batch", "export", "--out", "out", "--quiet")
    told = json.loads((home / "out" / "run.json").read_text())
    assert told["model"]["uri"] == "models:/hf-risk/2" and told["model"]["digest"] == moved
    assert told["model"]["source"] == "registry" and told["energy"]["kwh"] > 0
    estimates = pd.read_parquet(home / "out" / "estimates.parquet")
    scored = estimates[estimates.status == "scored"]
    assert len(scored) > 10
    assert ((scored.low <= scored.probability) & (scored.probability <= scored.high)).all()
    run("registry", "rollback", "--by", "luis", "--why", "twice the alerts")
    listed = run("registry", "list").stdout
    assert f"hf-risk/1 @champion  {digest[:16]}" in listed
    assert decisions(run) == [
        "refuse version 1 (before: none) by ana: ours",
        "promote FORCED version 1 (before: none) by ana: a trial",
        "refuse version 2 (before: 1) by ana: local level",
        "promote FORCED version 2 (before: 1) by ana: minutes of 3 May",
        "rollback version 1 (before: 2) by luis: twice the alerts",
    ]
