"""From emissions to tags: Viterbi over each label's layer, for many units at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clinical_nlp.pipeline.mentions.labels import ALLOWED, LABELS, MAY_START, MAY_STOP, TAGS

Floats = npt.NDArray[np.float32]

#: Stands for minus infinity: its sums stay finite.
NEVER = np.float32(-1e4)


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
        self._steps = np.where(ALLOWED, transitions, NEVER).astype(np.float32)
        self._start = np.where(MAY_START, 0, NEVER).astype(np.float32)
        self._stop = np.where(MAY_STOP, 0, NEVER).astype(np.float32)
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
            each label. Rows past a unit's length are zero.
        """
        batch, words = emissions.shape[:2]
        scores = emissions.reshape(batch, words, len(LABELS), len(TAGS)) + self._offsets
        tags = self._best(scores, lengths)
        chosen = np.take_along_axis(self._marginals(scores, lengths), tags[..., None], axis=-1)
        chosen = chosen[..., 0]
        inside = (np.arange(words) < lengths[:, None])[..., None]
        both = np.concatenate((tags.astype(np.float32), chosen), axis=-1)
        return np.where(inside, both, np.float32(0))

    def _marginals(self, scores: Floats, lengths: npt.NDArray[np.int32]) -> Floats:
        """Probability of each tag at each word, given the whole unit; [B, W, labels, tags].

        Forward and backward passes of sums instead of Viterbi's maxima, each rescaled at
        every word so that nothing over- or underflows (Rabiner, Proc. IEEE 1989, V.A).
        """
        words = scores.shape[1]
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        steps, start, stop = np.exp(self._steps), np.exp(self._start), np.exp(self._stop)
        ahead = np.empty_like(weights)
        ahead[:, 0] = weights[:, 0] * start
        for place in range(1, words):
            # [B, labels, tags] x [labels, tags, tags] for each label
            summed = np.einsum("blt,ltu->blu", ahead[:, place - 1], steps)
            ahead[:, place] = _rescaled(summed * weights[:, place])
        behind = np.broadcast_to(stop, weights[:, 0].shape).astype(np.float32)
        both = np.empty_like(weights)
        for place in range(words - 1, -1, -1):
            both[:, place] = ahead[:, place] * behind
            if place:
                summed = np.einsum("ltu,blu->blt", steps, behind * weights[:, place])
                within = (place < lengths)[:, None, None]
                behind = np.where(within, _rescaled(summed), stop)
        return _rescaled(both)

    def _best(self, scores: Floats, lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Viterbi; int64 [B, W, labels]."""
        batch, words = scores.shape[:2]
        best = scores[:, 0] + self._start
        final = best.copy()
        back = np.zeros(scores.shape, dtype=np.int64)
        for place in range(1, words):
            paths = best[..., :, None] + self._steps
            back[:, place] = paths.argmax(axis=-2)
            best = paths.max(axis=-2) + scores[:, place]
            ends = lengths == place + 1
            if ends.any():
                final[ends] = best[ends]
        tag = (final + self._stop).argmax(axis=-1)
        tags = np.zeros((batch, words, len(LABELS)), dtype=np.int64)
        for place in range(words - 1, -1, -1):
            within = (place < lengths)[:, None]
            tags[:, place] = np.where(within, tag, 0)
            before = np.take_along_axis(back[:, place], tag[..., None], axis=-1)[..., 0]
            tag = np.where(within, before, tag)
        return tags


def _rescaled(weights: Floats) -> Floats:
    """Weights that add up to 1 over the tags."""
    total: Floats = weights / np.maximum(weights.sum(axis=-1, keepdims=True), np.float32(1e-30))
    return total
