"""From emissions to tags: Viterbi over each label's layer, for many units at once.

Scores are laid out [tags, rows], a row for each label of each unit: every operation then runs
along the rows, which are many, and not along the tags, which are five. Sums over tags are taken
in the same order for any number of rows, so that a unit's tags and probabilities do not depend
on what it is decoded with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.neural.tagger.labels import ALLOWED, LABELS, MAY_START, MAY_STOP, TAGS

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer[Any]]

#: Stands for minus infinity: its sums stay finite.
NEVER = np.float32(-1e4)

#: Least sum that is divided by.
_LEAST = np.float32(1e-30)


class Decoder:
    """The best sequence of tags of each label, with the probability of each tag chosen.

    Parameters
    ----------
    transitions
        float32 [labels, tags, tags]: what it is worth that one tag follows another.
    biases
        float32 [labels]: added to the emissions of every tag but "outside"; above 0 finds
        more mentions, below 0 fewer.
    """

    def __init__(self, transitions: Floats, biases: Floats | None = None) -> None:
        # [tags before, tags after, labels]
        steps = np.where(ALLOWED, transitions, NEVER).astype(np.float32)
        self._steps = np.ascontiguousarray(steps.transpose(1, 2, 0))
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
            Words of each unit, int32 [B].

        Returns
        -------
        array
            float32 [B, W, 2 x labels]: a tag for each label, then its probability for
            each label. Rows past a unit's length are zero, and so are the probabilities of
            a label of which the unit has no mention: they are nobody's score.
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
        """Probability of each tag at each word, given the whole unit; float32 [W, tags, rows].

        Forward and backward passes of sums instead of Viterbi's maxima, each rescaled at
        every word so that nothing over- or underflows (Rabiner, Proc. IEEE 1989, V.A).
        """
        words = len(scores)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        steps = np.exp(self._steps)[:, :, layers]
        start, stop = np.exp(self._start), np.exp(self._stop)
        ahead = np.empty_like(weights)
        ahead[0] = weights[0] * start
        for place in range(1, words):
            summed = (steps * ahead[place - 1][:, None]).sum(axis=0)
            ahead[place] = _rescaled(summed * weights[place])
        behind = np.broadcast_to(stop, weights[0].shape)
        both = np.empty_like(weights)
        for place in range(words - 1, -1, -1):
            both[place] = ahead[place] * behind
            if place:
                told = behind * weights[place]
                summed = steps[:, 0] * told[0]
                for after in range(1, len(TAGS)):
                    summed += steps[:, after] * told[after]
                behind = np.where(place < ends, _rescaled(summed), stop)
        shares: Floats = both / np.maximum(both.sum(axis=1, keepdims=True), _LEAST)
        return shares

    def _best(self, scores: Floats, layers: Ints, ends: Ints) -> Ints:
        """Viterbi; int64 [W, rows], 0 past a row's end."""
        words, _, count = scores.shape
        steps = self._steps[:, :, layers]
        best = np.empty_like(scores)
        best[0] = scores[0] + self._start
        for place in range(1, words):
            np.max(best[place - 1][:, None] + steps, axis=0, out=best[place])
            best[place] += scores[place]
        rows = np.arange(count)
        tags = np.zeros((words, count), dtype=np.int64)
        last = (best[ends - 1, :, rows].T + self._stop).argmax(axis=0)
        tags[ends - 1, rows] = last
        # Which tag came before is asked of the one path that was taken, not kept of all.
        for place in range(words - 2, -1, -1):
            before = (best[place] + steps[:, tags[place + 1], rows]).argmax(axis=0)
            tags[place] = np.where(place + 1 < ends, before, tags[place])
        return tags


def _rescaled(weights: Floats) -> Floats:
    """Weights, float32 [tags, rows], that add up to 1 over the tags."""
    total: Floats = weights / np.maximum(weights.sum(axis=0), _LEAST)
    return total
