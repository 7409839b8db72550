"""What is kept of a word's logits: flags, and its likeliest concept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clinical_nlp.neural.reader.network import FLAG_COUNT

Floats = npt.NDArray[np.float32]

#: Columns of a decoded word after the logits of its flags.
OUTSIDE, BEST, BEST_SCORE = FLAG_COUNT, FLAG_COUNT + 1, FLAG_COUNT + 2


def decode(logits: Floats, lengths: npt.NDArray[np.int32]) -> Floats:
    """Reduce logits of words.

    Parameters
    ----------
    logits
        float32 [B, W, 5 + 1 + concepts].
    lengths
        Words of each segment; not needed, as words are decoded one by one.

    Returns
    -------
    array
        float32 [B, W, 8]: logits of the flags; probability that the word is in no mention of a
        concept; number of its likeliest concept, from 1, and the probability of that.
    """
    flags, concepts = logits[..., :FLAG_COUNT], logits[..., FLAG_COUNT:]
    shifted = np.exp(concepts - concepts.max(axis=-1, keepdims=True))
    shares = shifted / shifted.sum(axis=-1, keepdims=True)
    best = shares[..., 1:].argmax(axis=-1)
    score = np.take_along_axis(shares[..., 1:], best[..., None], axis=-1)
    kept = (flags, shares[..., :1], best[..., None] + 1, score)
    decoded: Floats = np.concatenate(kept, axis=-1).astype(np.float32)
    return decoded
