"""Labels of mentions, and their BIOES tags.

Each label has its own layer of tags, because the corpora annotate the labels independently:
"ecocardiograma con FEVI deprimida" is a PROCEDURE that contains a SYMPTOM. Within a layer
mentions do not overlap. The tags are outside, begin, inside, end and single; which tag may
follow which is fixed, not learnt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Label = Literal["DISEASE", "SYMPTOM", "PROCEDURE", "MEDICATION"]

#: In the order of the layers.
LABELS: tuple[Label, ...] = get_args(Label)

OUTSIDE, BEGIN, INSIDE, END, SINGLE = range(5)
TAGS = ("O", "B", "I", "E", "S")

_OPEN = (BEGIN, INSIDE)
_CLOSED = (OUTSIDE, END, SINGLE)

#: ``ALLOWED[a, b]``: tag b may follow tag a. ``MAY_START``, ``MAY_STOP``: tag is
#: allowed at the start or end of a segment.
ALLOWED = np.zeros((5, 5), dtype=bool)
ALLOWED[np.ix_(_OPEN, (INSIDE, END))] = True
ALLOWED[np.ix_(_CLOSED, (OUTSIDE, BEGIN, SINGLE))] = True
MAY_START = np.array([tag in (OUTSIDE, BEGIN, SINGLE) for tag in range(5)])
MAY_STOP = np.array([tag in _CLOSED for tag in range(5)])


def spans_of(tags: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Decode a layer of tags to the words [first, last] (inclusive) of each mention.

    A mention without an end is left out; the Viterbi decoder produces none.
    """
    begun: int | None = None
    for place, tag in enumerate(tags):
        if tag == SINGLE:
            yield place, place
        elif tag == BEGIN:
            begun = place
        elif tag == END and begun is not None:
            yield begun, place
        if tag in _CLOSED:
            begun = None


def tags_of(spans: Iterable[tuple[int, int]], words: int) -> npt.NDArray[np.int64]:
    """Encode spans as a layer of tags, int64 [words]; the inverse of :func:`spans_of`.

    Parameters
    ----------
    spans
        Words [first, last], inclusive. Of two that overlap the longer is kept: the annotation
        guidelines of the corpora ask for the widest mention.
    words
        Length of the layer.
    """
    tags = np.zeros(words, dtype=np.int64)
    for first, last in sorted(set(spans), key=lambda span: (span[0] - span[1], span)):
        if tags[first : last + 1].any():
            continue
        if first == last:
            tags[first] = SINGLE
        else:
            tags[first + 1 : last] = INSIDE
            tags[first], tags[last] = BEGIN, END
    return tags
