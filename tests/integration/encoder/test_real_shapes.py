"""Checkpoints of published shapes give the vectors of transformers, for notes of any length."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clinical_nlp.neural.engine import Engine, EngineConfig
from clinical_nlp.neural.locate import find_checkpoint
from clinical_nlp.neural.segments import segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.vectors import WordVectors

KINDS = ("modernbert", "roberta", "xlm-roberta", "bert")
TEXT = "Refiere disnea de esfuerzo; FC80, e\u0301stasis 😀.\r\nNo edemas."


def engine_of(checkpoint, **settings):
    settings = {"context": "note", "backend": "float32", "overlap": 32} | settings
    window = settings.pop("window", checkpoint.window)
    config = EngineConfig(window, **settings)
    return Engine(WordVectors(checkpoint.model()), checkpoint.tokenizer, config)


def plainly(checkpoint, doc):
    """Vectors of a doc's words by transformers' own tokenizer and model."""
    (part,) = segment(doc, "note")
    encoded = checkpoint.tokenizer(part.text, return_tensors="pt")
    encoded.pop("token_type_ids", None)
    with torch.inference_mode():
        hidden = checkpoint.model()(**encoded).last_hidden_state[0].numpy()
    read = SubwordAligner(checkpoint.tokenizer).read([part.text], [part.starts], [part.ends])[0]
    rows = np.zeros((len(doc), hidden.shape[1]), dtype=np.float32)
    rows[part.tokens] = hidden[read.first + 1]
    return rows


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_equal_those_of_transformers(checkpoints, nlp, kind):
    checkpoint = find_checkpoint(checkpoints[kind])
    doc = nlp(TEXT)
    (rows,) = engine_of(checkpoint).run([doc])
    assert np.allclose(rows, plainly(checkpoint, doc), atol=1e-5)


@pytest.mark.parametrize(("kind", "window"), [("modernbert", 256), ("roberta", 128), ("bert", 128)])
def test_checkpoint_window_is_the_encoders_context(checkpoints, kind, window):
    assert find_checkpoint(checkpoints[kind]).window == window


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backend", ["float32", "bfloat16", "int8"])
def test_note_longer_than_the_context_is_read_whole(checkpoints, nlp, long_note, kind, backend):
    doc = nlp(long_note)
    (rows,) = engine_of(find_checkpoint(checkpoints[kind]), backend=backend).run([doc])
    words = [token.i for token in doc if not token.is_space]
    assert np.isfinite(rows).all()
    assert np.abs(rows[words]).sum(axis=1).all()


def test_vectors_in_windows_are_close_to_those_without(checkpoints, nlp):
    """ModernBERT's positions are relative: with enough around it a word keeps its vector."""
    checkpoint = find_checkpoint(checkpoints["modernbert"])
    doc = nlp("disnea de esfuerzo y ortopnea con edemas " * 12)
    (whole,) = engine_of(checkpoint, window=256).run([doc])
    (cut,) = engine_of(checkpoint, window=128, overlap=100).run([doc])
    cosine = (whole * cut).sum(1) / np.linalg.norm(whole, axis=1) / np.linalg.norm(cut, axis=1)
    assert cosine.min() > 0.99


@pytest.mark.parametrize("backend", ["bfloat16", "int8"])
def test_other_back_ends_are_close_to_float32(checkpoints, nlp, backend):
    checkpoint = find_checkpoint(checkpoints["modernbert"])
    docs = [nlp(TEXT)]
    (exact,) = engine_of(checkpoint).run(docs)
    (near,) = engine_of(checkpoint, backend=backend).run(docs)
    assert np.abs(near - exact).max() < 0.05 * np.abs(exact).max()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "window", "layers", "vocabulary", "parameters"),
    [("mrbert_es", 8192, 22, 51_200, 150e6), ("roberta_base", 512, 12, 52_000, 126e6)],
)
def test_published_shapes_load_and_read(
    request, nlp, shape, window, layers, vocabulary, parameters
):
    checkpoint = find_checkpoint(request.getfixturevalue(shape))
    assert checkpoint.window == window
    assert checkpoint.settings["num_hidden_layers"] == layers
    assert len(checkpoint.tokenizer) == vocabulary
    model = checkpoint.model()
    assert model.dtype == torch.float32
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(parameters, rel=0.02)
    doc = nlp(TEXT)
    words = [token.i for token in doc if not token.is_space]
    exact, near = (
        Engine(
            WordVectors(model),
            checkpoint.tokenizer,
            EngineConfig(512, context="sentence", backend=backend),
        ).run([doc])[0][words]
        for backend in ("float32", "int8")
    )
    cosine = (exact * near).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(near, axis=1)
    assert exact.shape == (len(words), 768)
    assert cosine.min() > 0.999
