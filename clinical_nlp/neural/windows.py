"""Overlapping windows over segments that are longer than the encoder's context."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from clinical_nlp.neural.subwords import Pieces

Ints = npt.NDArray[np.int32]


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
