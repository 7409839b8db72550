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


def test_untouched_files_have_their_digest(shipped):
    assert verified_digest(shipped) == folder_digest(shipped / "model")


def test_what_mlflow_adds_is_no_part_of_the_model(shipped):
    before = folder_digest(shipped / "model")
    (shipped / "model" / "registered_model_meta").write_text("model_name: hf-risk\n")
    assert folder_digest(shipped / "model") == before


@pytest.mark.parametrize("change", ["edit", "add", "remove", "rename"])
def test_any_change_is_refused(shipped, change):
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


def test_a_manifest_made_to_fit_does_not_change_the_digest(shipped):
    """The digest is of the files: rewriting the list of files alone is noticed."""
    (shipped / "model" / "model.skops").write_bytes(b"\x00\x02")
    manifest = json.loads((shipped / "manifest.json").read_text())
    manifest["files"] = folder_digests(shipped / "model")
    (shipped / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="E412"):
        verified_digest(shipped)


@pytest.mark.parametrize("text", ["", "{}", "[]"])
def test_a_manifest_that_cannot_be_read_is_an_error(shipped, text):
    (shipped / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match="E411"):
        verified_digest(shipped)
