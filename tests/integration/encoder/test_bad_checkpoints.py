"""What is wrong with a checkpoint is said, with the remedy, before a note is read."""

from __future__ import annotations

import json
import logging

import pytest
import torch
from safetensors.torch import load_file, save_file

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.engine import Engine, EngineConfig
from clinical_nlp.neural.locate import find_checkpoint
from clinical_nlp.neural.vectors import WordVectors


def code_of(action):
    with pytest.raises(ModelError) as caught:
        action()
    assert caught.value.message.count(":") >= 1, "a remedy follows the colon"
    return caught.value.code


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "/no/such/folder"])
def test_unknown_name_raises_e440(name):
    assert code_of(lambda: find_checkpoint(name)) == "E440"


def test_hub_encoder_not_in_cache_raises_e440(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert code_of(lambda: find_checkpoint("BSC-LT/no-such-encoder")) == "E440"


def test_truncated_weights_raise_e441(broken_copy):
    folder = broken_copy()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    assert code_of(find_checkpoint(folder).model) == "E441"


@pytest.mark.parametrize("content", [b"", b"no weights", b"version https://git-lfs.github.com"])
def test_weights_that_are_no_safetensors_raise_e441(broken_copy, content):
    folder = broken_copy()
    (folder / "model.safetensors").write_bytes(content)
    assert code_of(find_checkpoint(folder).model) == "E441"


def test_missing_weights_raise_e441(broken_copy):
    folder = broken_copy()
    (folder / "model.safetensors").unlink()
    assert code_of(find_checkpoint(folder).model) == "E441"


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_missing_or_broken_config_raises_e441(broken_copy, content):
    folder = broken_copy()
    (folder / "config.json").unlink()
    if content is not None:
        (folder / "config.json").write_text(content)
    assert code_of(find_checkpoint(folder).model) == "E441"


def test_pickled_weights_raise_e442(broken_copy):
    folder = broken_copy()
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    assert code_of(find_checkpoint(folder).model) == "E442"


def test_checkpoint_with_code_raises_e443_and_runs_nothing(broken_copy, tmp_path):
    folder = broken_copy()
    trap = tmp_path / "trapped"
    (folder / "modeling_mine.py").write_text(f"open({str(trap)!r}, 'w')\nclass Mine: pass\n")
    edit_config(
        folder,
        model_type="mine",
        auto_map={"AutoModel": "modeling_mine.Mine", "AutoConfig": "modeling_mine.Mine"},
    )
    assert code_of(find_checkpoint(folder).model) == "E443"
    assert not trap.exists()


def test_weights_of_another_shape_raise_e449(broken_copy):
    folder = broken_copy()
    edit_config(folder, hidden_size=128)
    assert code_of(find_checkpoint(folder).model) == "E449"


def test_weights_without_a_layer_raise_e449(broken_copy):
    """transformers would fill it with random numbers and warn."""
    folder = broken_copy()
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "layers.1." not in name}
    assert len(kept) < len(weights)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    assert code_of(find_checkpoint(folder).model) == "E449"


def test_nan_weights_raise_e449(broken_copy):
    folder = broken_copy()
    weights = load_file(folder / "model.safetensors")
    weights = {name: torch.full_like(tensor, float("nan")) for name, tensor in weights.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    checkpoint = find_checkpoint(folder)
    model = checkpoint.model()
    assert (
        code_of(lambda: Engine(WordVectors(model), checkpoint.tokenizer, EngineConfig(128)))
        == "E449"
    )


@pytest.mark.parametrize("content", [None, "{", '{"model": {"type": "Nonsense"}}'])
def test_missing_or_broken_tokenizer_raises_e444(broken_copy, content):
    folder = broken_copy()
    (folder / "tokenizer.json").unlink()
    if content is not None:
        (folder / "tokenizer.json").write_text(content)
    assert code_of(lambda: find_checkpoint(folder).tokenizer) == "E444"


def test_tokenizer_larger_than_its_encoder_raises_e444(checkpoints):
    other = find_checkpoint(checkpoints["roberta"]).tokenizer
    model = find_checkpoint(checkpoints["modernbert"]).model()
    assert code_of(lambda: Engine(WordVectors(model), other, EngineConfig(128))) == "E444"


def test_missing_cuda_device_raises_e446(checkpoints, nlp, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    from clinical_nlp.pipeline.encoder import AliaEncoder, EncoderSettings

    component = AliaEncoder(EncoderSettings(model=str(checkpoints["bert"]), device="cuda"))
    assert code_of(lambda: component(nlp("Niega tos."))) == "E446"


def test_int8_on_a_gpu_falls_back_and_warns_once(monkeypatch, caplog):
    from clinical_nlp.neural import backends

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    backends.warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert backends.choose("int8", "cuda") == ("bfloat16", "cuda")
        assert backends.choose("int8", "cuda") == ("bfloat16", "cuda")
    assert len(caplog.records) == 1
