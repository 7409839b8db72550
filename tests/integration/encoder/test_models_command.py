"""``clinical-nlp models``: what is shipped, whether it is whole, and no network unasked."""

from __future__ import annotations

import json
import shutil
import socket

import pytest
from typer.testing import CliRunner

from clinical_nlp import artifacts as shipping
from clinical_nlp.cli.app import app
from clinical_nlp.errors import ModelError
from clinical_nlp.neural import locate as finding
from clinical_nlp.neural.locate import hub_encoders


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(app, ["models", *arguments])


def test_models_list_names_shipped_and_hub_models(run, no_network):
    told = run("list").output
    for name in ("hf-risk", "BSC-LT/MrBERT-es", "PlanTL-GOB-ES/bsc-bio-ehr-es", "Apache-2.0"):
        assert name in told
    assert told.count("unpinned") == sum(not encoder.pinned for encoder in hub_encoders())


def test_models_verify_finds_shipped_models_unchanged(run, no_network):
    done = run("verify")
    assert done.exit_code == 0
    assert "changed" not in done.output
    assert "hf-risk: as shipped" in done.output


@pytest.mark.parametrize("change", ["edit", "add", "remove", "manifest"])
def test_models_verify_names_a_changed_file(run, monkeypatch, tmp_path, change):
    (original,) = [f for f in shipping.shipped_models() if f.name == "hf-risk"]
    copy = tmp_path / "hf-risk"
    shutil.copytree(original, copy)
    victim = copy / "model" / "MLmodel"
    match change:
        case "edit":
            victim.write_text("flavors: {}")
        case "add":
            (copy / "model" / "extra.bin").write_bytes(b"")
        case "remove":
            victim.unlink()
        case "manifest":
            manifest = json.loads((copy / "manifest.json").read_text())
            manifest["digest"] = "0" * 64
            (copy / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(shipping, "shipped_models", lambda: iter([copy]))
    done = run("verify", "hf-risk")
    assert isinstance(done.exception, ModelError)
    assert done.exception.code == "E412"
    assert "changed: " in done.output


def test_models_verify_loads_a_folder(run, checkpoints, no_network):
    done = run("verify", str(checkpoints["bert"]))
    assert "loads, and its tokenizer fits" in done.output
    assert "Digest: " in done.output


def test_written_manifest_verifies(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"\x00")
    digest = shipping.write_manifest(tmp_path, licence="CC BY 4.0")
    assert shipping.changed_files(tmp_path) == []
    assert shipping.read_manifest(tmp_path)["licence"] == "CC BY 4.0"
    assert shipping.read_manifest(tmp_path)["digest"] == digest


def test_broken_manifest_raises_e411(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(ModelError) as caught:
        shipping.read_manifest(tmp_path)
    assert caught.value.code == "E411"


def test_models_fetch_takes_data_files_and_loads_them(run, checkpoints, monkeypatch):
    asked = {}

    def snapshot(name, **arguments):
        asked.update(arguments, name=name)
        return str(checkpoints["modernbert"])

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    done = run("fetch", "BSC-LT/MrBERT-es", "--revision", "a" * 40)
    assert done.exit_code == 0
    assert asked["name"] == "BSC-LT/MrBERT-es"
    assert asked["revision"] == "a" * 40
    assert not asked["local_files_only"]
    assert set(asked["allow_patterns"]) == {"*.json", "*.safetensors", "*.txt", "*.model"}
    assert "Licence: Apache-2.0" in done.output


def test_models_fetch_without_network_raises_e448(run, monkeypatch):
    def fail(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    done = run("fetch", "BSC-LT/MrBERT-es")
    assert isinstance(done.exception, ModelError)
    assert done.exception.code == "E448"
    assert "give its path" in done.exception.message


def test_find_checkpoint_asks_the_hub_only_online(monkeypatch, checkpoints):
    asked = []

    def snapshot(name, **arguments):
        asked.append(arguments["local_files_only"])
        return str(checkpoints["modernbert"])

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    finding.find_checkpoint("BSC-LT/MrBERT-es")
    finding.find_checkpoint("BSC-LT/MrBERT-es", offline=False)
    assert asked == [True, False]
