"""The registry with a real MLflow store (SQLite) and the shipped model."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from clinical_nlp.artifacts import MODEL_FOLDER, shipped_folder
from clinical_nlp.errors import ModelError
from clinical_nlp.records import CodedEvent, Coding, EventKind, PatientRecord, Sex
from clinical_nlp.registry import DEFAULT_URI, ensure_champion, load_champion
from clinical_nlp.registry.artifact import load_model
from clinical_nlp.registry.manifest import verified_digest
from clinical_nlp.registry.store import mlflow_client
from clinical_nlp.registry.versions import list_models, register_folder
from clinical_nlp.risk.model import RiskModel


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store in which the champion has been registered, and its folder."""
    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    assert ensure_champion(uri) == DEFAULT_URI
    return uri, folder


def test_shipped_model_matches_its_manifest():
    assert len(verified_digest(shipped_folder("hf-risk"))) == 64


def test_shipped_card_begins_with_training_population():
    card = (shipped_folder("hf-risk") / "card.md").read_text("utf-8")
    first = card.splitlines()[0].lower()
    assert "simulated" in first and "not for clinical use" in first


def test_ensure_champion_registers_shipped_model_once(store):
    uri, folder = store
    ensure_champion(uri)
    (row,) = list_models(uri)
    assert (row.version, row.aliases) == ("1", ("champion",))
    assert row.digest == verified_digest(shipped_folder("hf-risk"))
    source = mlflow_client(uri).get_model_version("hf-risk", "1").source
    assert (folder / "mlartifacts") in Path(source).parents
    assert (Path(source) / "MLmodel").is_file()


def test_load_champion_pins_version_and_digest(store):
    model = load_champion(tracking_uri=store[0])
    assert model.reference.uri == "models:/hf-risk/1"
    assert model.reference.digest == verified_digest(shipped_folder("hf-risk"))
    same = load_champion("models:/hf-risk/1", store[0])
    assert same.reference == model.reference


def test_load_champion_scores_equal_those_of_the_files(store):
    shipped = shipped_folder("hf-risk")
    parts = load_model(shipped / MODEL_FOLDER, verified_digest(shipped))
    champion = load_champion(tracking_uri=store[0])
    here = RiskModel(parts, champion.reference)
    generator = np.random.default_rng(0)
    reference = np.array(parts.spec.reference)
    rows = reference + generator.normal(0, 0.3, (50, len(reference)))
    rows[generator.random(rows.shape) < 0.2] = np.nan
    found = champion.probabilities(rows)
    assert found.tolist() == here.probabilities(rows).tolist()
    assert 0 < found.min() < found.max() < 1


def test_champion_scores_patient_with_reasons(store):
    def coded(kind, system, code, day, **rest):
        return CodedEvent(EventKind(kind), f"X/{code}", (Coding(system, code),), day, **rest)

    events = (
        coded("condition", "http://hl7.org/fhir/sid/icd-10", "I25.2", date(2015, 1, 1)),
        coded("medication", "http://www.whocc.no/atc", "C03CA01", date(2024, 1, 1)),
        coded("observation", "http://loinc.org", "33762-6", date(2024, 3, 12), value=1640.0),
        # Without an echocardiogram the raised peptide would be a suspicion, and not scored.
        coded("observation", "http://loinc.org", "8806-2", date(2024, 3, 12), value=60.0, unit="%"),
    )
    sick = PatientRecord("a", Sex.MALE, date(1940, 1, 1), events=events)
    well = PatientRecord("b", Sex.FEMALE, date(1975, 1, 1), events=events[1:2])
    one, other = load_champion(tracking_uri=store[0]).estimate(
        [(sick, ()), (well, ())], date(2024, 6, 1)
    )
    assert one.probability > 3 * other.probability
    texts = [reason.text for reason in one.reasons]
    assert "infarto de miocardio previo, en problemas desde enero de 2015" in texts
    assert all(reason.contribution > 0 for reason in one.reasons[:2])


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("models:/hf-risk@nobody", "E402"),
        ("models:/other@champion", "E402"),
        ("models:/hf-risk/99", "E402"),
        ("runs:/abc/model", "E404"),
        ("hf-risk", "E404"),
    ],
)
def test_load_champion_of_missing_model_raises_coded_error(store, uri, code):
    with pytest.raises(ModelError, match=code):
        load_champion(uri, store[0])


def test_load_champion_from_unreachable_registry_raises_e401(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ModelError, match="E401") as caught:
        load_champion(tracking_uri="http://user:secret@127.0.0.1:9")
    assert "secret" not in str(caught.value) and "MLFLOW_TRACKING_URI" in str(caught.value)


def test_load_champion_of_tampered_artefact_raises_e412(local_store):
    ensure_champion(local_store)
    stored = Path(mlflow_client(local_store).get_model_version("hf-risk", "1").source) / "MLmodel"
    stored.write_text(stored.read_text() + "\n")
    with pytest.raises(ModelError, match="E412"):
        load_champion(tracking_uri=local_store)


def test_load_champion_of_version_without_digest_raises_e417(local_store):
    client = mlflow_client(local_store)
    client.create_registered_model("hf-risk")
    client.create_model_version("hf-risk", source=str(shipped_folder("hf-risk") / "model"))
    with pytest.raises(ModelError, match="E417"):
        load_champion("models:/hf-risk/1", local_store)


def test_register_folder_makes_challenger(store, trained):
    row = register_folder(trained / "fair", "mine", store[0])
    assert row.aliases == ("challenger",) and row.digest == verified_digest(trained / "fair")
    assert load_champion(tracking_uri=store[0]).reference.version == "1"


def test_registry_import_switches_telemetry_off_before_mlflow():
    code = (
        "import clinical_nlp.registry, sys; assert 'mlflow' not in sys.modules\n"
        "import mlflow\n"
        "from mlflow.telemetry.utils import is_telemetry_disabled\n"
        "assert is_telemetry_disabled()\n"
        "from mlflow.telemetry.client import get_telemetry_client\n"
        "assert get_telemetry_client() is None\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
