"""Eight-bit layers: near to float32, and a row's result is its own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.backends import choose
from clinical_nlp.neural.batch_invariant import RowwiseInt8Linear, quantise


@pytest.fixture
def linear():
    torch.manual_seed(3)
    return nn.Linear(192, 96)


def test_int8_linear_is_close_to_float32(linear):
    x = torch.randn(5, 7, 192) * torch.logspace(-3, 3, 7)[:, None]
    with torch.inference_mode():
        exact, ours = linear(x), RowwiseInt8Linear(linear)(x)
    assert ours.shape == exact.shape
    error = (ours - exact).norm(dim=-1) / exact.norm(dim=-1)
    assert error.max() < 0.02


def test_int8_linear_row_does_not_depend_on_the_batch(linear):
    layer = RowwiseInt8Linear(linear)
    row, others = torch.randn(1, 192), 1e4 * torch.randn(30, 192)
    with torch.inference_mode():
        alone = layer(row)[0]
        together = layer(torch.cat((others, row)))[-1]
    assert torch.equal(alone, together)


def test_int8_linear_of_zeros_returns_the_bias(linear):
    with torch.inference_mode():
        out = RowwiseInt8Linear(linear)(torch.zeros(2, 192))
    assert torch.allclose(out, linear.bias.expand(2, -1))


def test_quantise_replaces_large_layers_only():
    model = nn.Sequential(
        nn.Linear(64, 64), nn.Linear(64, 20), nn.ModuleDict({"in": nn.Linear(64, 128)})
    )
    quantise(model)
    kinds = [type(m) for m in model.modules() if not list(m.children())]
    assert kinds == [RowwiseInt8Linear, nn.Linear, RowwiseInt8Linear]


def test_quantise_leaves_kept_exact_children():
    class Careful(nn.Sequential):
        kept_exact = ("1",)

    model = quantise(Careful(nn.Linear(64, 64), nn.Linear(64, 64)))
    assert [type(child) for child in model.children()] == [RowwiseInt8Linear, nn.Linear]


def test_choose_auto_is_deterministic():
    backend, device = choose("auto", "cpu")
    assert backend in ("float32", "bfloat16", "int8")
    assert (backend, device) == choose("auto", "cpu")


@pytest.mark.parametrize(
    ("backend", "device", "code"),
    [("fp8", "cpu", "E447"), ("auto", "tpu", "E447")],
)
def test_choose_unknown_back_end_or_device_raises_e447(backend, device, code):
    with pytest.raises(ModelError) as caught:
        choose(backend, device)
    assert caught.value.code == code


def test_choose_missing_gpu_raises_e446_with_the_remedy(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError) as caught:
        choose("auto", "cuda")
    assert caught.value.code == "E446"
    assert 'device = "cpu"' in caught.value.message
    assert choose("auto", "auto")[1] == "cpu"


def test_choose_gpu_defaults_to_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose("auto", "auto") == ("bfloat16", "cuda")
    assert choose("float32", "cuda:1") == ("float32", "cuda:1")
