"""The engine, on modules whose output is known."""

from __future__ import annotations

import numpy as np
import pytest
import spacy
import torch
from torch import nn

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.engine import Engine, EngineConfig
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.pipeline.tokenizer import ClinicalTokenizer

TOKENIZE = ClinicalTokenizer(spacy.blank("es").vocab)
TEXTS = [
    "Refiere disnea de esfuerzo. No edemas.",
    "",
    " \n",
    "TA 13/8, FC80. No edemas.",
    "e\u0301",
]


class FirstIds(nn.Module):
    """Returns the id of each word's first piece, the number of pieces, and its features."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, ids, mask, word_bounds, features):
        self.calls += 1
        first = word_bounds[..., 0]
        seen = mask.sum(1, keepdim=True).expand_as(first)
        parts = [ids.gather(1, first), seen, *features.unbind(-1)]
        return torch.stack(parts, dim=-1).float()


def docs_of(texts):
    docs = [TOKENIZE(text) for text in texts]
    for doc in docs:
        for token in doc:
            token.is_sent_start = token.i == 0 or doc[token.i - 1].text == "."
    return docs


def engine_of(tokenizers, module=None, decode=None, **settings):
    config = EngineConfig(**({"window": 64, "overlap": 8, "backend": "float32"} | settings))
    return Engine(module or FirstIds(), tokenizers["bpe"], config, decode=decode)


def test_run_returns_a_row_a_word_and_zeros_for_white_space(tokenizers):
    docs = docs_of(TEXTS)
    engine = engine_of(tokenizers)
    pieces = SubwordAligner(tokenizers["bpe"])
    for doc, rows in zip(docs, engine.run(docs), strict=True):
        assert rows.shape == (len(doc), 2)
        for token in doc:
            if token.is_space:
                assert not rows[token.i].any()
        for sent in doc.sents if len(doc) else []:
            words = [token for token in sent if not token.is_space]
            if not words:
                continue
            origin = words[0].idx
            text = doc.text[origin : words[-1].idx + len(words[-1])]
            starts = np.array([t.idx - origin for t in words], dtype=np.int32)
            ends = np.array([t.idx - origin + len(t) for t in words], dtype=np.int32)
            (read,) = pieces.read([text], [starts], [ends])
            assert rows[[t.i for t in words], 0].tolist() == read.ids[read.first].tolist()
            assert set(rows[[t.i for t in words], 1]) == {len(read.ids) + 2}


@pytest.mark.parametrize("batch_pieces", [1, 40, 4096])
@pytest.mark.parametrize("cache_mib", [0, 8])
def test_run_does_not_depend_on_batches_or_cache(tokenizers, batch_pieces, cache_mib):
    docs = docs_of(TEXTS * 3)
    expected = engine_of(tokenizers).run(docs)
    engine = engine_of(tokenizers, batch_pieces=batch_pieces, cache_mib=cache_mib)
    for _ in range(2):
        for ours, theirs in zip(engine.run(docs), expected, strict=True):
            assert np.array_equal(ours, theirs)


def test_run_reads_a_repeated_sentence_once(tokenizers):
    docs = docs_of(["No edemas. No edemas. Tos."] * 2)
    module = FirstIds()
    engine = engine_of(tokenizers, module, context="sentence")
    engine.run(docs)
    assert (engine.cache.misses, engine.cache.hits) == (2, 4)
    calls = module.calls
    engine.run(docs)
    assert (engine.cache.misses, engine.cache.hits, module.calls) == (2, 10, calls)


def test_run_passes_features_and_caches_by_them(tokenizers):
    docs = docs_of(["No edemas.", "No edemas."])
    extra = [np.full((len(doc), 1), 7 + number) for number, doc in enumerate(docs)]
    rows = engine_of(tokenizers, features=1).run(docs, extra)
    assert set(rows[0][:, 2]) == {7}
    assert set(rows[1][:, 2]) == {8}


def test_run_without_features_raises_value_error(tokenizers):
    with pytest.raises(ValueError, match="1 features"):
        engine_of(tokenizers, features=1).run(docs_of(["No edemas."]))


def test_run_joins_the_windows_of_a_long_segment(tokenizers):
    (doc,) = docs_of(["disnea tos fiebre " * 100])
    (short,) = engine_of(tokenizers, window=16, overlap=4, context="note").run([doc])
    (long,) = engine_of(tokenizers, window=4096, overlap=4, context="note").run([doc])
    assert np.array_equal(short[:, 0], long[:, 0])
    assert short[:, 1].max() == 16


def test_run_decodes_whole_segments_and_returns_the_result(tokenizers):
    seen = []

    def decode(emissions, lengths):
        seen.extend(lengths.tolist())
        return np.repeat(lengths[:, None, None], emissions.shape[1], axis=1).astype(np.float32)

    (doc,) = docs_of(["No edemas. " + "tos " * 60])
    engine = engine_of(tokenizers, window=16, overlap=4, decode=decode)
    (rows,) = engine.run([doc])
    assert engine.width == rows.shape[1] == 1
    assert rows[0, 0] == 3
    assert rows[4, 0] == 60
    assert {3, 60} <= set(seen)


def test_run_reads_a_word_of_100_000_characters(tokenizers):
    (doc,) = docs_of(["tos " + "x" * 100_000 + " tos"])
    (rows,) = engine_of(tokenizers, window=128, context="note").run([doc])
    assert rows[:, 0].all()


def test_engine_with_overlap_as_large_as_window_raises_e447(tokenizers):
    with pytest.raises(ModelError) as caught:
        engine_of(tokenizers, window=16, overlap=14)
    assert caught.value.code == "E447"


def test_engine_with_non_finite_output_raises_e449(tokenizers):
    class Broken(nn.Module):
        def forward(self, ids, mask, word_bounds, features):
            return torch.full(word_bounds.shape, float("nan"))

    with pytest.raises(ModelError) as caught:
        engine_of(tokenizers, Broken())
    assert caught.value.code == "E449"


def test_run_without_docs_returns_nothing(tokenizers):
    assert engine_of(tokenizers).run([]) == []
