"""Decoding against a search through every sequence of tags."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from clinical_nlp.neural.tagger.labels import ALLOWED, LABELS, MAY_START, MAY_STOP, TAGS
from clinical_nlp.neural.tagger.viterbi import Decoder

LAYERS = len(LABELS)


def brute_force(scores: np.ndarray, steps: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """Best tags of one layer, and each word's probability of each tag."""
    words = len(scores)
    weights: dict[tuple[int, ...], float] = {}
    for tags in product(range(len(TAGS)), repeat=words):
        legal = MAY_START[tags[0]] and MAY_STOP[tags[-1]]
        if not legal or not all(ALLOWED[a, b] for a, b in pairwise(tags)):
            continue
        weights[tags] = float(
            sum(scores[i, t] for i, t in enumerate(tags))
            + sum(steps[a, b] for a, b in pairwise(tags))
        )
    marginal = np.zeros((words, len(TAGS)))
    for tags, weight in weights.items():
        for place, tag in enumerate(tags):
            marginal[place, tag] += np.exp(weight)
    marginal /= marginal.sum(axis=1, keepdims=True)
    return max(weights, key=weights.__getitem__), marginal


@pytest.mark.parametrize("seed", range(4))
def test_decoder_equals_an_exhaustive_search(seed: int) -> None:
    random = np.random.default_rng(seed)
    lengths = np.array([4, 1, 3], dtype=np.int32)
    emissions = random.normal(size=(3, 4, LAYERS * len(TAGS))).astype(np.float32) * 2
    steps = random.normal(size=(LAYERS, len(TAGS), len(TAGS))).astype(np.float32)
    decoded = Decoder(steps)(emissions, lengths)
    layered = emissions.reshape(3, 4, LAYERS, len(TAGS))
    for part, length in enumerate(lengths):
        assert not decoded[part, length:].any()
        for layer in range(LAYERS):
            tags, marginal = brute_force(layered[part, :length, layer], steps[layer])
            assert tuple(decoded[part, :length, layer].astype(int)) == tags
            # Of a layer without a mention no probability is told.
            expected = marginal[np.arange(length), tags] * any(tags)
            np.testing.assert_allclose(
                decoded[part, :length, LAYERS + layer], expected, rtol=1e-3, atol=1e-4
            )


def test_decoder_segment_does_not_depend_on_the_batch() -> None:
    random = np.random.default_rng(5)
    emissions = random.normal(size=(2, 30, LAYERS * len(TAGS))).astype(np.float32) * 5
    decoder = Decoder(np.zeros((LAYERS, len(TAGS), len(TAGS)), dtype=np.float32))
    both = decoder(emissions, np.array([7, 30], dtype=np.int32))
    alone = decoder(emissions[:1, :7], np.array([7], dtype=np.int32))
    np.testing.assert_array_equal(both[0, :7], alone[0])


def test_decoder_positive_bias_finds_more() -> None:
    emissions = np.zeros((1, 1, LAYERS * len(TAGS)), dtype=np.float32)
    emissions[..., :: len(TAGS)] = 1.0  # outside, a little
    steps = np.zeros((LAYERS, len(TAGS), len(TAGS)), dtype=np.float32)
    one = np.array([1], dtype=np.int32)
    assert not Decoder(steps)(emissions, one)[0, 0, :LAYERS].any()
    biased = Decoder(steps, np.array([2, 0, 0, 0], dtype=np.float32))(emissions, one)
    assert biased[0, 0, :LAYERS].tolist() == [4, 0, 0, 0]
