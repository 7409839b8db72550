"""Batches of sequences with some words masked.

They depend on the seed and the step's number alone, so that a resumed run sees the batches
that it would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from clinical_nlp.training.encoder.recipe import MaskingRecipe
from clinical_nlp.training.encoder.tokenizer import FIRST, LAST, MASK, SPECIAL

Ints = npt.NDArray[np.int64]

#: Ids [batch, length], places of the masked tokens [batch, masked], and their true ids.
MaskedBatch = tuple[Ints, Ints, Ints]

#: Of the masked tokens, eight in ten become [MASK], one a random token, one stays (Devlin et
#: al., BERT, 2019), so that the encoder also learns to represent what is not masked.
_MASKED, _REPLACED = 0.8, 0.9


def masked_batches(
    stream: npt.NDArray[np.int32], continues: npt.NDArray[np.bool_], recipe: MaskingRecipe
) -> Iterator[MaskedBatch]:
    """Yield batches without end.

    Parameters
    ----------
    stream
        Token ids of the whole text.
    continues
        For each token of the vocabulary, whether it continues a word.
    recipe
        Length, batch, number of masked tokens, seed.
    """
    random = np.random.default_rng(recipe.seed)
    room = recipe.length - 2  # without [CLS] and [SEP]
    while True:
        offset = int(random.integers(0, room))
        count = (len(stream) - offset) // room
        blocks = stream[offset : offset + count * room].reshape(count, room)
        order = random.permutation(count)
        steps = count // recipe.batch
        for chosen in np.array_split(order[: steps * recipe.batch], steps):
            ids = np.full((recipe.batch, recipe.length), FIRST, dtype=np.int64)
            ids[:, 1:-1] = blocks[chosen]
            ids[:, -1] = LAST
            yield _mask(ids, continues, recipe.masked, random)


def _mask(
    ids: Ints, continues: npt.NDArray[np.bool_], masked: int, random: np.random.Generator
) -> MaskedBatch:
    """Mask random whole words of each sequence until ``masked`` tokens are masked."""
    rows, length = ids.shape
    word = (~continues[ids]).cumsum(axis=1)
    rank = np.take_along_axis(random.random((rows, length + 1)), word, axis=1)
    rank[ids < len(SPECIAL)] = np.inf
    places = np.argsort(rank, axis=1, kind="stable")[:, :masked]
    places.sort(axis=1)
    truth = np.take_along_axis(ids, places, axis=1)
    draw = random.random((rows, masked))
    other = random.integers(len(SPECIAL), len(continues), (rows, masked))
    shown = np.where(draw < _MASKED, MASK, np.where(draw < _REPLACED, other, truth))
    np.put_along_axis(ids, places, shown, axis=1)
    return ids, places, truth
