"""Overlapping windows over what is longer than the encoder's context."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from clinical_nlp.neural.subwords import Pieces

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a unit's pieces, and the words that are read from it.

    Attributes
    ----------
    ids
        int32 [pieces].
    words
        Slice of the unit's words whose results this window gives.
    places
        Indices into ``ids`` of each of these words' first and last piece, int32 [words, 2].
    """

    ids: Ints
    words: slice
    places: Ints


def windows(pieces: Pieces, room: int, overlap: int) -> list[Window]:
    """Lay windows over the pieces of a unit.

    Parameters
    ----------
    pieces
        The unit's.
    room
        Pieces that a window can hold, special ones not counted.
    overlap
        Pieces that neighbours share, less than ``room``. A word is read in the window that
        shows more of what surrounds it: the border runs through the middle of the overlap.

    Returns
    -------
    list of Window
        One where everything fits. Each word is in exactly one.
    """
    size = len(pieces.ids)
    places = np.stack((pieces.first, pieces.last), axis=1)
    if size <= room:
        return [Window(pieces.ids, slice(0, len(places)), places)]
    begins = list(range(0, size - room, room - overlap))
    begins.append(size - room)
    # Where window k hands over to window k + 1.
    borders = [(a + room + b) // 2 for a, b in pairwise(begins)]
    at = [0, *np.searchsorted(pieces.first, borders).tolist(), len(pieces.first)]
    return [
        Window(
            pieces.ids[begin : begin + room],
            slice(at[k], at[k + 1]),
            np.minimum(places[at[k] : at[k + 1]] - begin, room - 1),
        )
        for k, begin in enumerate(begins)
        if at[k] < at[k + 1]
    ]
