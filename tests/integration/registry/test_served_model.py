"""One model, three ways to it: the batch, a fresh process, and 'mlflow models serve'."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request

import pandas as pd
import pytest
from servers import BARE_PATH, scoring_server
from small_models import small_folder, small_parts

from clinical_nlp import load
from clinical_nlp.cli.registry import serve_command
from clinical_nlp.pipeline.assembly import fingerprint
from clinical_nlp.records.codec import record_to_json
from clinical_nlp.registry.champion import fetch_verified
from clinical_nlp.registry.versions import register_folder
from fhir_adapters.reading import BulkExport

_FRESH = """
import sys, pandas, clinical_nlp.registry, mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
print(model.predict(pandas.read_json(sys.argv[2], dtype=False)).to_json(orient="records"))
"""


@pytest.fixture(scope="module")
def scored(tmp_path_factory, cli, empty_store):
    """A batch with a registered model; its folder, the model's, and the records as asked."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    store = f"sqlite:///{folder / 'mlflow.db'}"
    small_folder(folder / "trained", small_parts(pipeline=fingerprint(load())))
    register_folder(folder / "trained", "", store, "champion")
    cli("simulate", "--patients", "12", "--seed", "3", "export", cwd=folder)
    cli("batch", "export", "--out", "out", cwd=folder)
    reference = fetch_verified("champion", folder / "model", store)
    with BulkExport(folder / "export") as source:
        day = source.scan(lambda read: None).latest
        records = list(source.records())
    asked = pd.DataFrame(
        {"record": [record_to_json(r) for r in records], "as_of": [day.isoformat()] * len(records)}
    )
    return folder, reference, asked


@pytest.fixture(scope="module")
def of_batch(scored):
    """What the batch wrote, by patient, in the order asked."""
    estimates = pd.read_parquet(scored[0] / "out" / "estimates.parquet")
    assert estimates.probability.notna().sum() >= 5
    return [
        (row.status, None if pd.isna(row.probability) else row.probability, row.model_digest)
        for row in estimates.itertuples()
    ]


def told(rows):
    return [(row["status"], row["probability"], row["model_digest"]) for row in rows]


@pytest.mark.slow
def test_pyfunc_in_fresh_process_gives_batch_scores(scored, of_batch):
    folder, _, asked = scored
    asked.to_json(folder / "asked.json")
    done = subprocess.run(
        [sys.executable, "-c", _FRESH, str(folder / "model"), str(folder / "asked.json")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert told(json.loads(done.stdout)) == of_batch
    assert "trained on notes read by another version" not in done.stderr


@pytest.mark.slow
def test_served_model_gives_batch_scores(scored, of_batch, monkeypatch):
    folder, reference, asked = scored
    monkeypatch.setenv("PATH", BARE_PATH)
    with scoring_server(serve_command(folder / "model", reference.digest), folder) as url:
        body = json.dumps({"dataframe_split": asked.to_dict(orient="split")}).encode()
        request = urllib.request.Request(  # noqa: S310  # our own, on loopback
            f"{url}/invocations", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            rows = json.load(answer)["predictions"]
    assert told(rows) == of_batch
    one = next(row for row in rows if row["status"] == "scored")
    assert one["low"] <= one["probability"] <= one["high"] and json.loads(one["reasons"])
    log = (folder / "serve.log").read_text()
    words = json.loads(asked.record[0]).get("notes", [{"text": "no note"}])[0]["text"].split(".")[0]
    assert words not in log  # nor is any note in the server's log


def test_batch_writes_audit_record_per_estimate(scored):
    folder, reference, _ = scored
    audit = pd.read_parquet(folder / "out" / "audit.parquet")
    estimates = pd.read_parquet(folder / "out" / "estimates.parquet")
    assert audit.patient_id.tolist() == estimates.patient_id.tolist()
    assert audit.model_digest.unique().tolist() == [reference.digest]
    assert audit.input_sha256.str.fullmatch("[0-9a-f]{64}").all()
    assert audit.estimate_id.is_unique and audit.threshold.nunique() == 1
    features = pd.read_parquet(folder / "out" / "features.parquet")
    assert len(features) == (estimates.status == "scored").sum()
    run = json.loads((folder / "out" / "run.json").read_text())
    assert run["model"]["source"] == "registry" and run["model"]["digest"] == reference.digest
    assert run["energy"]["kwh"] > 0 and run["energy"]["method"]
