"""Cut segments into windows of the encoder's context, and batch windows of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from clinical_nlp.neural.subwords import Pieces

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive pieces of a segment, and the words whose results are taken from them.

    Attributes
    ----------
    ids
        int32 [pieces].
    words
        Slice of the segment's words whose results this window gives.
    word_bounds
        Indices into ``ids`` of each of these words' first and last piece, int32 [words, 2].
    """

    ids: Ints
    words: slice
    word_bounds: Ints


def windows(pieces: Pieces, room: int, overlap: int) -> list[Window]:
    """Cut the pieces of a segment into windows.

    Parameters
    ----------
    pieces
        Of the segment.
    room
        Pieces that a window can hold, special ones not counted.
    overlap
        Pieces that neighbours share, less than ``room``. A word is read in the window with
        more context around it: the border is the middle of the overlap.

    Returns
    -------
    list of Window
        Just one if the segment fits. Each word is in exactly one.
    """
    size = len(pieces.ids)
    bounds = np.stack((pieces.first, pieces.last), axis=1)
    if size <= room:
        return [Window(pieces.ids, slice(0, len(bounds)), bounds)]
    begins = list(range(0, size - room, room - overlap))
    begins.append(size - room)
    # Where window k hands over to window k + 1.
    borders = [(a + room + b) // 2 for a, b in pairwise(begins)]
    at = [0, *np.searchsorted(pieces.first, borders).tolist(), len(pieces.first)]
    return [
        Window(
            pieces.ids[begin : begin + room],
            slice(at[k], at[k + 1]),
            np.minimum(bounds[at[k] : at[k + 1]] - begin, room - 1),
        )
        for k, begin in enumerate(begins)
        if at[k] < at[k + 1]
    ]


def by_length(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Group items of similar length into batches.

    Parameters
    ----------
    lengths
        Of each item.
    most
        Largest size of a batch, padded to its longest item; a longer item is a batch of its
        own.

    Yields
    ------
    list of int
        Indices, from the longest item to the shortest, so that memory is allocated once.
    """
    group: list[int] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if group and (len(group) + 1) * longest > most:
            yield group
            group = []
        if not group:
            longest = max(1, lengths[index])
        group.append(index)
    if group:
        yield group


def tensors(
    batch: Sequence[Window],
    features: Sequence[Longs],
    prefix: Sequence[int],
    suffix: Sequence[int],
    pad: int,
) -> tuple[Longs, Longs, Longs, Longs]:
    """Pad windows to the same length.

    Parameters
    ----------
    batch
        Windows.
    features
        Extra ids of the words of each window, int64 [words, F].
    prefix, suffix, pad
        Special ids.

    Returns
    -------
    tuple of arrays
        ids and mask, int64 [B, L]; first and last piece of each word, int64 [B, W, 2];
        features, int64 [B, W, F].
    """
    size = len(batch)
    lengths = [len(window.ids) + len(prefix) + len(suffix) for window in batch]
    words = [len(window.word_bounds) for window in batch]
    ids = np.full((size, max(lengths)), pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    word_bounds = np.zeros((size, max(words), 2), dtype=np.int64)
    extra = np.zeros((size, max(words), features[0].shape[1]), dtype=np.int64)
    lead = len(prefix)
    for row, window in enumerate(batch):
        inner = lead + len(window.ids)
        ids[row, :lead] = prefix
        ids[row, lead:inner] = window.ids
        ids[row, inner : lengths[row]] = suffix
        mask[row, : lengths[row]] = 1
        word_bounds[row, : words[row]] = window.word_bounds + lead
        extra[row, : words[row]] = features[row]
    return ids, mask, word_bounds, extra
