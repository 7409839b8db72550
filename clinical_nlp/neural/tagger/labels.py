"""The labels of mentions and the tags that spell them, word by word.

Each label has a layer of tags of its own, because the corpora annotate each label apart:
"ecocardiograma con FEVI deprimida" is a PROCEDURE that holds a SYMPTOM. Within a layer
mentions do not overlap.

Tags are BIOES: outside, begin, inside, end, single. That only some may follow one another
is a fact of the notation, not something to be learnt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Label = Literal["DISEASE", "SYMPTOM", "PROCEDURE", "MEDICATION"]

#: In the order of the layers of a shipped model.
LABELS: tuple[Label, ...] = get_args(Label)

OUTSIDE, BEGIN, INSIDE, END, SINGLE = range(5)
TAGS = ("O", "B", "I", "E", "S")

_OPEN = (BEGIN, INSIDE)
_CLOSED = (OUTSIDE, END, SINGLE)

#: ``ALLOWED[a, b]``: tag b may follow tag a. ``MAY_START``, ``MAY_STOP``: at a unit's ends.
ALLOWED = np.zeros((5, 5), dtype=bool)
ALLOWED[np.ix_(_OPEN, (INSIDE, END))] = True
ALLOWED[np.ix_(_CLOSED, (OUTSIDE, BEGIN, SINGLE))] = True
MAY_START = np.array([tag in (OUTSIDE, BEGIN, SINGLE) for tag in range(5)])
MAY_STOP = np.array([tag in _CLOSED for tag in range(5)])


def spans_of(tags: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Words [first, last] (inclusive) of each mention that a layer of tags spells.

    A run that does not end as it should is left out; decoding never makes one.
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
    """Spell spans as a layer of tags, int64 [words]; the inverse of :func:`spans_of`.

    Parameters
    ----------
    spans
        Words [first, last], inclusive. Where two overlap the longer one is kept, because
        the guidelines of the corpora ask for the widest mention.
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
