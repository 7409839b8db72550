from __future__ import annotations

import json

import pytest

from clinical_nlp.artifacts import folder_digest, folder_digests
from clinical_nlp.errors import ModelError
from clinical_nlp.registry.manifest import verified_digest, write_manifest


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "hf-risk"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "MLmodel").write_text("flavors: {}\n")
    (folder / "model" / "model.skops").write_bytes(b"\x00\x01")
    write_manifest(folder)
    return folder


def test_verified_digest_of_unchanged_folder_is_that_of_its_model(shipped):
    assert verified_digest(shipped) == folder_digest(shipped / "model")


def test_folder_digest_ignores_file_added_by_mlflow(shipped):
    before = folder_digest(shipped / "model")
    (shipped / "model" / "registered_model_meta").write_text("model_name: hf-risk\n")
    assert folder_digest(shipped / "model") == before


@pytest.mark.parametrize("change", ["edit", "add", "remove", "rename"])
def test_verified_digest_of_changed_folder_raises_e412(shipped, change):
    model = shipped / "model"
    match change:
        case "edit":
            (model / "model.skops").write_bytes(b"\x00\x02")
        case "add":
            (model / "extra.pkl").write_bytes(b"")
        case "remove":
            (model / "MLmodel").unlink()
        case "rename":
            (model / "MLmodel").rename(model / "MLmodel2")
    with pytest.raises(ModelError, match="E412"):
        verified_digest(shipped)


def test_verified_digest_with_forged_file_list_raises_e412(shipped):
    """The digest is of the files: rewriting the list of files alone is noticed."""
    (shipped / "model" / "model.skops").write_bytes(b"\x00\x02")
    manifest = json.loads((shipped / "manifest.json").read_text())
    manifest["files"] = folder_digests(shipped / "model")
    (shipped / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="E412"):
        verified_digest(shipped)


@pytest.mark.parametrize("text", ["", "{}", "[]"])
def test_verified_digest_with_unreadable_manifest_raises_e411(shipped, text):
    (shipped / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match="E411"):
        verified_digest(shipped)
