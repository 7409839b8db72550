"""Viterbi decoding and marginal probabilities of linear-chain CRFs, one for each label.

Scores are laid out [tags, rows], with a row for each label of each segment: every operation
runs along the many rows, not along the five tags. Sums over tags are in the same order for any
number of rows, so that a segment's tags and probabilities do not depend on its batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from spacy.tokens import Doc

from clinical_nlp.neural.tagger.labels import (
    ALLOWED,
    LABELS,
    MAY_START,
    MAY_STOP,
    TAGS,
    spans_of,
)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer[Any]]

#: Used as minus infinity; sums of it stay finite.
NEVER = np.float32(-1e4)

#: Least divisor.
_LEAST = np.float32(1e-30)


class Decoder:
    """The best sequence of tags of each label, with the probability of each tag chosen.

    Parameters
    ----------
    transitions
        Score of each tag after each other tag, float32 [labels, tags, tags].
    biases
        Added to the emissions of every tag but "outside", float32 [labels]: positive values
        find more mentions, negative ones fewer.
    """

    def __init__(self, transitions: Floats, biases: Floats | None = None) -> None:
        # [tags before, tags after, labels]
        transitions = np.where(ALLOWED, transitions, NEVER).astype(np.float32)
        self._transitions = np.ascontiguousarray(transitions.transpose(1, 2, 0))
        self._start = np.where(MAY_START, 0, NEVER).astype(np.float32)[:, None]
        self._stop = np.where(MAY_STOP, 0, NEVER).astype(np.float32)[:, None]
        self._offsets = np.zeros((len(LABELS), len(TAGS)), dtype=np.float32)
        if biases is not None:
            self._offsets[:, 1:] = biases[:, None]

    def __call__(self, emissions: Floats, lengths: npt.NDArray[np.int32]) -> Floats:
        """Decode a batch.

        Parameters
        ----------
        emissions
            float32 [B, W, labels x tags].
        lengths
            Words of each segment, int32 [B].

        Returns
        -------
        array
            float32 [B, W, 2 x labels]: a tag for each label, then its probability for
            each label. Padding is zero, and so are the probabilities of a label of which the
            segment has no mention.
        """
        batch, words = emissions.shape[:2]
        layered = emissions.reshape(batch, words, len(LABELS), len(TAGS)) + self._offsets
        # [W, tags, rows]
        scores = np.ascontiguousarray(layered.transpose(1, 3, 0, 2)).reshape(words, len(TAGS), -1)
        layers = np.tile(np.arange(len(LABELS)), batch)
        ends = np.repeat(lengths, len(LABELS))
        tags = self._best(scores, layers, ends)
        rows = np.flatnonzero(tags.any(axis=0))
        chosen = np.zeros(tags.shape, dtype=np.float32)
        if len(rows):
            longest = int(ends[rows].max())
            marginals = self._marginals(scores[:longest, :, rows], layers[rows], ends[rows])
            picked = np.take_along_axis(marginals, tags[:longest, None, rows], axis=1)[:, 0]
            within = np.arange(longest)[:, None] < ends[rows]
            chosen[:longest, rows] = np.where(within, picked, np.float32(0))
        both = np.stack((tags.astype(np.float32), chosen)).reshape(2, words, batch, len(LABELS))
        return both.transpose(2, 1, 0, 3).reshape(batch, words, 2 * len(LABELS))

    def _marginals(self, scores: Floats, layers: Ints, ends: Ints) -> Floats:
        """Marginal probability of each tag at each word, float32 [W, tags, rows].

        The forward-backward algorithm, rescaled at every word against over- and underflow
        (Rabiner, Proc. IEEE 1989, V.A).
        """
        words = len(scores)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        transitions = np.exp(self._transitions)[:, :, layers]
        start, stop = np.exp(self._start), np.exp(self._stop)
        forward = np.empty_like(weights)
        forward[0] = weights[0] * start
        for place in range(1, words):
            summed = (transitions * forward[place - 1][:, None]).sum(axis=0)
            forward[place] = _rescaled(summed * weights[place])
        backward = np.broadcast_to(stop, weights[0].shape)
        product = np.empty_like(weights)
        for place in range(words - 1, -1, -1):
            product[place] = forward[place] * backward
            if place:
                weighted = backward * weights[place]
                summed = transitions[:, 0] * weighted[0]
                for after in range(1, len(TAGS)):
                    summed += transitions[:, after] * weighted[after]
                backward = np.where(place < ends, _rescaled(summed), stop)
        marginals: Floats = product / np.maximum(product.sum(axis=1, keepdims=True), _LEAST)
        return marginals

    def _best(self, scores: Floats, layers: Ints, ends: Ints) -> Ints:
        """Viterbi; int64 [W, rows], 0 in padding."""
        words, _, count = scores.shape
        transitions = self._transitions[:, :, layers]
        best = np.empty_like(scores)
        best[0] = scores[0] + self._start
        for place in range(1, words):
            np.max(best[place - 1][:, None] + transitions, axis=0, out=best[place])
            best[place] += scores[place]
        rows = np.arange(count)
        tags = np.zeros((words, count), dtype=np.int64)
        last = (best[ends - 1, :, rows].T + self._stop).argmax(axis=0)
        tags[ends - 1, rows] = last
        # Backpointers are computed for the best path only.
        for place in range(words - 2, -1, -1):
            before = (best[place] + transitions[:, tags[place + 1], rows]).argmax(axis=0)
            tags[place] = np.where(place + 1 < ends, before, tags[place])
        return tags


def _rescaled(weights: Floats) -> Floats:
    """Weights, float32 [tags, rows], that add up to 1 over the tags."""
    total: Floats = weights / np.maximum(weights.sum(axis=0), _LEAST)
    return total


def mention_rows(doc: Doc, decoded: Floats) -> Iterator[tuple[int, int, str, float]]:
    """Convert a :class:`Decoder`'s result to mentions.

    Parameters
    ----------
    doc
        The doc.
    decoded
        float32 [tokens, 2 x labels]: a tag for each label, then its probability.

    Yields
    ------
    tuple
        Start, end, label and score of each mention, by label and place. The score is the
        lowest probability of its tags.
    """
    count = len(LABELS)
    columns = doc.to_array(["IDX", "LENGTH", "IS_SPACE"]).astype(np.int64)
    words = np.flatnonzero(columns[:, 2] == 0)
    starts, lengths = columns[words, 0], columns[words, 1]
    for layer, label in enumerate(LABELS):
        tags = decoded[words, layer].astype(np.int64)
        if not tags.any():
            continue
        scores = decoded[words, count + layer]
        for first, last in spans_of(tags.tolist()):
            score = float(scores[first : last + 1].min())
            yield int(starts[first]), int(starts[last] + lengths[last]), label, score
