"""Windows into tensors: of like length together, so many pieces at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from clinical_nlp.neural.windows import Window

Longs = npt.NDArray[np.int64]


def by_length(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Group what has like length.

    Parameters
    ----------
    lengths
        Of each item.
    most
        Most a group may hold, filled up to its longest item; an item that is longer is a
        group of its own.

    Yields
    ------
    list of int
        Indices, from the longest item to the shortest, so that memory is asked for once.
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
    """Fill windows up to one length.

    Parameters
    ----------
    batch
        Windows.
    features
        For each its words' extra ids, int64 [words, F].
    prefix, suffix, pad
        Special ids.

    Returns
    -------
    tuple of arrays
        ids and mask, int64 [B, L]; first and last pieces, int64 [B, W, 2]; features, int64
        [B, W, F].
    """
    size = len(batch)
    lengths = [len(window.ids) + len(prefix) + len(suffix) for window in batch]
    words = [len(window.places) for window in batch]
    ids = np.full((size, max(lengths)), pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    places = np.zeros((size, max(words), 2), dtype=np.int64)
    extra = np.zeros((size, max(words), features[0].shape[1]), dtype=np.int64)
    lead = len(prefix)
    for row, window in enumerate(batch):
        inner = lead + len(window.ids)
        ids[row, :lead] = prefix
        ids[row, lead:inner] = window.ids
        ids[row, inner : lengths[row]] = suffix
        mask[row, : lengths[row]] = 1
        places[row, : words[row]] = window.places + lead
        extra[row, : words[row]] = features[row]
    return ids, mask, places, extra
