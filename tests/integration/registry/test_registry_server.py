"""The same on a server: MLflow on loopback, its records in PostgreSQL."""

from __future__ import annotations

import pytest

from clinical_nlp.errors import ModelError
from clinical_nlp.registry.champion import resolve_model
from clinical_nlp.registry.promotion import history, promote, rollback
from clinical_nlp.registry.store import mlflow_client
from clinical_nlp.registry.versions import list_models, register_folder


@pytest.mark.slow
def test_postgresql_server_holds_models_decisions_and_files(server, trained, quick, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ModelError, match="E402"):
        resolve_model(tracking_uri=server)  # a server is never written to unasked

    register_folder(trained / "fair", "fair", server)
    promote("challenger", "ana", "the first", tracking_uri=server, limits_file=quick)
    register_folder(trained / "good", "good", server)
    promote("challenger", "ana", "sees more", tracking_uri=server, limits_file=quick)
    assert [(row.version, row.aliases) for row in list_models(server)] == [
        ("2", ("champion",)),
        ("1", ()),
    ]
    source = mlflow_client(server).get_model_version("hf-risk", "2").source
    assert source.startswith("mlflow-artifacts:")  # uploaded, not a path of this machine

    resolved = resolve_model(tracking_uri=server)
    assert (resolved.source, resolved.warning) == ("registry", None)
    assert rollback("luis", "too many alerts", server).version == "1"
    assert [one.action for one in history(server)] == ["rollback", "promote", "promote"]
    assert resolve_model(tracking_uri=server).model.reference.version == "1"


def test_resolve_model_without_server_returns_last_verified_model(trained, tmp_path, local_store):
    uri = local_store
    register_folder(trained / "fair", "fair", uri, "champion")
    before = resolve_model(tracking_uri=uri)
    (tmp_path / "mlflow.db").write_bytes(b"no database")
    resolved = resolve_model(tracking_uri=uri)
    assert resolved.model.reference == before.model.reference
    assert resolved.source == "last verified" and resolved.verified == before.verified
    assert before.model.reference.digest[:16] in resolved.warning
    with pytest.raises(ModelError, match="E401"):  # another URI was never verified
        resolve_model("models:/hf-risk@challenger", uri)

    (kept,) = (tmp_path / "mlartifacts" / "last-verified").glob("*/model/MLmodel")
    kept.write_text(kept.read_text() + "\n")
    with pytest.raises(ModelError, match="E412"):
        resolve_model(tracking_uri=uri)
