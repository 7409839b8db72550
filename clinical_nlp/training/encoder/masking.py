"""Sequences of a step, with some words hidden.

Which sequences, which words and what hides them depends on the seed and the step's number
alone, so that a run that was killed goes on with the batches it would have had.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from clinical_nlp.training.encoder.recipe import MaskingRecipe
from clinical_nlp.training.encoder.tokenizer import FIRST, LAST, MASK, SPECIAL

Ints = npt.NDArray[np.int64]

#: Of the hidden pieces: eight in ten are masked, one is another piece, one stays (Devlin et
#: al., BERT, 2019), so that the encoder also learns to read what is not masked.
_MASKED, _REPLACED = 0.8, 0.9


def masked_batches(
    stream: npt.NDArray[np.int32], continues: npt.NDArray[np.bool_], recipe: MaskingRecipe
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Yield batches without end.

    Parameters
    ----------
    stream
        Pieces of the text in a row.
    continues
        For each piece of the vocabulary, whether it continues a word.
    recipe
        Length, batch, number of masked pieces, seed.

    Yields
    ------
    tuple of int64 arrays
        Ids [batch, length], places of the hidden pieces [batch, masked] and what stood
        there [batch, masked].
    """
    random = np.random.default_rng(recipe.seed)
    room = recipe.length - 2
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
            yield _hide(ids, continues, recipe.masked, random)


def _hide(
    ids: Ints, continues: npt.NDArray[np.bool_], masked: int, random: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Hide whole words of each sequence until so many pieces are hidden."""
    rows, length = ids.shape
    word = (~continues[ids]).cumsum(axis=1)
    lot = np.take_along_axis(random.random((rows, length + 1)), word, axis=1)
    lot[ids < len(SPECIAL)] = 9
    places = np.argsort(lot, axis=1, kind="stable")[:, :masked]
    places.sort(axis=1)
    truth = np.take_along_axis(ids, places, axis=1)
    draw = random.random((rows, masked))
    other = random.integers(len(SPECIAL), len(continues), (rows, masked))
    shown = np.where(draw < _MASKED, MASK, np.where(draw < _REPLACED, other, truth))
    np.put_along_axis(ids, places, shown, axis=1)
    return ids, places, truth
