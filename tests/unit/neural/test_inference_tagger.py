"""The tagger for inference against the trained one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import AutoModel, BertConfig, ModernBertConfig

from clinical_nlp.neural.backends import runner
from clinical_nlp.neural.batch_invariant import quantise
from clinical_nlp.neural.modernbert import (
    ModernBertForInference,
    copy_for_inference,
    is_implemented,
)
from clinical_nlp.neural.tagger.inference import InferenceTagger
from clinical_nlp.neural.tagger.network import HeadShape, MentionTagger


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """As in the batch job: sums depend on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def modernbert(**settings):
    torch.manual_seed(3)
    given = {
        "vocab_size": 90,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "local_attention": 16,
        "global_attn_every_n_layers": 2,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "cls_token_id": 1,
        "sep_token_id": 2,
    }
    return AutoModel.from_config(ModernBertConfig(**(given | settings))).eval()


def batch(lengths, width):
    torch.manual_seed(4)
    ids = torch.randint(5, 90, (len(lengths), max(lengths) + 2))
    mask = torch.zeros_like(ids)
    word_bounds = torch.zeros((len(lengths), max(lengths), 2), dtype=torch.long)
    for row, length in enumerate(lengths):
        mask[row, : length + 2] = 1
        first = torch.arange(1, length + 1)
        word_bounds[row, :length] = torch.stack(
            (first, (first + first % 2).clamp(max=length)), dim=1
        )
    features = torch.randint(0, 3, (*word_bounds.shape[:2], width))
    return ids, mask, word_bounds, features


@pytest.mark.parametrize("lengths", [[5], [12, 9, 1], [70, 33, 20]])
@pytest.mark.parametrize("settings", [{}, {"attention_bias": True, "mlp_bias": True}])
def test_modernbert_for_inference_equals_transformers(lengths, settings):
    encoder = modernbert(**settings)
    lean = copy_for_inference(encoder)
    assert isinstance(lean, ModernBertForInference)
    ids, mask, _, _ = batch(lengths, 5)
    with torch.inference_mode():
        expected = encoder(input_ids=ids, attention_mask=mask)[0]
        found = lean(ids, mask)[0]
    torch.testing.assert_close(found[mask > 0], expected[mask > 0], atol=2e-5, rtol=1e-4)


def test_attention_with_huge_scores_stays_finite():
    encoder = modernbert()
    with torch.no_grad():
        for layer in encoder.layers:
            layer.attn.Wqkv.weight.mul_(60)
    ids, mask, _, _ = batch([9, 6], 5)
    with torch.inference_mode():
        expected = encoder(input_ids=ids, attention_mask=mask)[0]
        found = copy_for_inference(encoder)(ids, mask)[0]
    assert found.isfinite().all()
    torch.testing.assert_close(found[mask > 0], expected[mask > 0], atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("reader", [0, 8])
def test_inference_tagger_equals_the_tagger(reader):
    tagger = MentionTagger(modernbert(), HeadShape(hidden=24, reader=reader)).eval()
    given = batch([12, 30, 1, 9], 5)
    with torch.inference_mode():
        expected, found = tagger(*given), InferenceTagger(tagger).eval()(*given)
    words = given[2][..., 0] > 0
    torch.testing.assert_close(found[words], expected[words], atol=2e-5, rtol=1e-4)
    assert not found[~words].any()


def test_copy_for_inference_of_bert_is_a_plain_copy():
    config = BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    assert not is_implemented(config)
    bert = AutoModel.from_config(config)
    copied = copy_for_inference(bert)
    assert type(copied) is type(bert)
    assert copied is not bert


@pytest.mark.parametrize("backend", ["float32", "int8"])
def test_emissions_do_not_depend_on_the_batch(backend):
    encoder = modernbert(hidden_size=64, intermediate_size=96)
    tagger = MentionTagger(encoder, HeadShape(hidden=64, reader=32)).eval()
    run = runner(InferenceTagger(tagger), backend, "cpu")
    lengths = [70, 40, 23, 23, 22, 9, 9, 5, 3, 2, 2, 1]
    arrays = [tensor.numpy() for tensor in batch(lengths, 5)]
    together = run(*arrays)
    for size in (1, 2, 5):
        for begin in range(0, len(lengths), size):
            rows = slice(begin, begin + size)
            most = lengths[begin]
            widths = (most + 2, most + 2, most, most)
            some = [a[rows, :w] for a, w in zip(arrays, widths, strict=True)]
            np.testing.assert_array_equal(run(*some), together[rows, :most])


def test_huge_attention_scores_change_their_own_segment_only():
    encoder = modernbert()
    with torch.no_grad():
        encoder.embeddings.tok_embeddings.weight[7] = 0
        encoder.embeddings.tok_embeddings.weight[7, 0] = 1e4
        for layer in encoder.layers:
            layer.attn.Wqkv.weight.mul_(20)
    lean = copy_for_inference(encoder)
    ids, mask, _, _ = batch([9, 9, 9], 5)
    ids[ids == 7] = 8
    wild = ids.clone()
    wild[0, :] = 7
    with torch.inference_mode():
        torch.testing.assert_close(lean(wild, mask)[0][1:], lean(ids, mask)[0][1:], atol=0, rtol=0)


def test_int8_emissions_are_close_to_float32():
    """The recurrent steps of the LSTMs are quantised, too."""
    torch.manual_seed(2)
    encoder = modernbert(hidden_size=64, intermediate_size=96)
    tagger = MentionTagger(encoder, HeadShape(hidden=64, reader=64)).eval()
    given = batch([40, 12, 9, 1], 5)
    run = runner(InferenceTagger(tagger), "int8", "cpu")
    kinds = {type(part).__name__ for part in quantise(InferenceTagger(tagger)).modules()}
    assert {"RowwiseInt8Linear", "RecurrentProjectionInt8"} <= kinds
    with torch.inference_mode():
        exact = tagger(*given).numpy()
    words = (given[2][..., 0] > 0).numpy()
    found = run(*[tensor.numpy() for tensor in given])
    assert np.abs(found[words] - exact[words]).max() < 0.02 * np.abs(exact[words]).max()


def test_bfloat16_emissions_are_close_to_float32():
    tagger = MentionTagger(modernbert(), HeadShape(hidden=24, reader=32)).eval()
    given = batch([12, 60, 1, 9], 5)
    found = runner(InferenceTagger(tagger), "bfloat16", "cpu")(
        *[tensor.numpy() for tensor in given]
    )
    with torch.inference_mode():
        exact = tagger(*given)
    words = (given[2][..., 0] > 0).numpy()
    assert np.abs(found[words] - exact.numpy()[words]).max() < 0.05
