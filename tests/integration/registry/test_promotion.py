"""Register, compare, promote, roll back: on a local store with real files."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from small_models import small_folder, small_parts
from typer.testing import CliRunner

from clinical_nlp.artifacts import folder_digest
from clinical_nlp.cli.registry import app, serve_command
from clinical_nlp.errors import ModelError
from clinical_nlp.registry.champion import fetch_verified, resolve_model
from clinical_nlp.registry.promotion import compare, history, promote, rollback
from clinical_nlp.registry.store import mlflow_client
from clinical_nlp.registry.versions import list_models, register_folder


@pytest.fixture
def store(local_store, trained, quick):
    """A store whose champion is the fair model."""
    register_folder(trained / "fair", "fair", local_store)
    promote("challenger", "ana", "the first", tracking_uri=local_store, limits_file=quick)
    return local_store


def champion(store):
    return next(row.version for row in list_models(store) if "champion" in row.aliases)


def test_promote_better_model_logs_who_and_why(quick, store, trained):
    register_folder(trained / "good", "good", store)
    done = promote("challenger", "ana", "sees more", tracking_uri=store, limits_file=quick)
    assert (done.version, done.previous, done.forced) == ("2", "1", False)
    (row,) = (row for row in list_models(store) if row.version == "2")
    assert row.aliases == ("champion",)  # no longer the challenger
    newest = history(store)[0]
    assert (newest.action, newest.by, newest.why) == ("promote", "ana", "sees more")
    names = {check["name"] for check in done.gate["checks"]}
    assert {"same test patients", "discrimination not worse", "sex: female"} <= names
    assert resolve_model(tracking_uri=store).model.reference.uri == "models:/hf-risk/2"


def test_promote_worse_model_raises_e406_and_logs_refusal(quick, store, trained):
    register_folder(trained / "poor", "poor", store)
    with pytest.raises(ModelError, match=r"E406.*discrimination not worse"):
        promote("challenger", "ana", "newer", tracking_uri=store, limits_file=quick)
    assert champion(store) == "1"
    assert [one.action for one in history(store)] == ["refuse", "promote"]


def test_promote_with_force_overrules_gate_and_is_logged(quick, store, trained):
    register_folder(trained / "poor", "poor", store)
    done = promote(
        "challenger", "ana", "an emergency", force=True, tracking_uri=store, limits_file=quick
    )
    assert done.forced and champion(store) == "2"
    assert history(store)[0].forced


def test_rollback_goes_one_step_each_time(quick, store, trained):
    for name in ("good", "poor"):
        register_folder(trained / name, name, store)
        promote("challenger", "ana", name, force=True, tracking_uri=store, limits_file=quick)
    assert champion(store) == "3"
    assert rollback("luis", "too many alerts", store).version == "2"
    assert rollback("luis", "still too many", store).version == "1"
    assert champion(store) == "1"
    with pytest.raises(ModelError, match="E407"):
        rollback("luis", "again", store)


def test_promote_without_name_or_reason_raises_e409(quick, store):
    with pytest.raises(ModelError, match="E409"):
        promote("1", "ana", "  ", tracking_uri=store, limits_file=quick)
    with pytest.raises(ModelError, match="E409"):
        rollback("", "because", store)


def test_promote_champion_again_raises_e408(quick, store):
    with pytest.raises(ModelError, match="E408"):
        promote("champion", "ana", "again", tracking_uri=store, limits_file=quick)


def test_promote_with_changed_predictions_raises_e412(quick, store, trained, tmp_path):
    register_folder(trained / "poor", "poor", store)
    version = mlflow_client(store).get_model_version("hf-risk", "2")
    stored = mlflow_client(store).get_run(version.run_id).info.artifact_uri
    shutil.copy(trained / "good" / "predictions.json", f"{stored}/predictions.json")
    with pytest.raises(ModelError, match=r"E412 predictions\.json"):
        promote(
            "challenger", "ana", "looks good", force=True, tracking_uri=store, limits_file=quick
        )


def test_promote_changed_model_with_force_raises_e412(quick, store, trained):
    register_folder(trained / "good", "good", store)
    version = mlflow_client(store).get_model_version("hf-risk", "2")
    with (Path(version.source) / "data" / "risk" / "features.toml").open("a") as file:
        file.write("\n")
    with pytest.raises(ModelError, match="E412"):
        promote(
            "challenger", "ana", "looks good", force=True, tracking_uri=store, limits_file=quick
        )
    assert champion(store) == "1"


def test_promote_with_incomplete_card_raises_e406(quick, store, trained, tmp_path):
    card = (trained / "good" / "card.md").read_text().replace("## Limits\n\nWords.", "## Limits\n")
    predictions = json.loads((trained / "good" / "predictions.json").read_text())
    small_folder(tmp_path / "bare", small_parts(1), predictions, card=card)
    register_folder(tmp_path / "bare", "", store)
    with pytest.raises(ModelError, match=r"E406.*no section 'limits"):
        promote("challenger", "ana", "sees more", tracking_uri=store, limits_file=quick)


def test_compare_reports_checks_and_logs_nothing(quick, store, trained):
    register_folder(trained / "good", "good", store)
    found = compare(tracking_uri=store, limits_file=quick)
    assert found.passed and (found.champion, found.challenger) == ("1", "2")
    assert len(history(store)) == 1
    assert not compare("1", "2", store, quick).passed  # the other way round


def test_fetch_verified_copies_the_registered_model(store, tmp_path):
    reference = fetch_verified("champion", tmp_path / "fetched", store)
    assert folder_digest(tmp_path / "fetched") == reference.digest
    with pytest.raises(ModelError, match="E410"):
        fetch_verified("champion", tmp_path / "fetched", store)


def test_serve_command_sets_path_only_outside_activated_environment(tmp_path, monkeypatch):
    ours = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", f"{ours}:/usr/bin")
    plain = serve_command(tmp_path, "ab" * 32)
    assert plain.startswith("CLINICAL_NLP_MODEL_DIGEST=abababababababab mlflow models serve")
    monkeypatch.setenv("PATH", "/usr/bin")
    assert serve_command(tmp_path, "ab" * 32) == f"PATH={ours}:$PATH {plain}"


def test_registry_commands_register_compare_promote_and_roll_back(quick, store, trained):
    def run(*arguments, code=0):
        result = CliRunner().invoke(app, [*arguments, "--tracking-uri", store])
        assert result.exit_code == code, result.output
        return result.output

    assert "models:/hf-risk/2" in run("register", str(trained / "good"))
    assert "@challenger" in run("list")
    assert "The gate would let it pass." in run("compare", "--gate", str(quick))
    assert "Champion is now version 2" in run(
        "promote", "--gate", str(quick), "--by", "ana", "--why", "sees more"
    )
    assert "Champion is again version 1" in run("rollback", "--by", "luis", "--why", "alerts")
    told = run("history").splitlines()
    assert len(told) == 3 and "by luis: alerts" in told[0]
