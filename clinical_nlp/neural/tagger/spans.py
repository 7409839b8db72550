"""Convert the decoder's output to mentions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from spacy.tokens import Doc

from clinical_nlp.neural.tagger.labels import LABELS, spans_of


def mention_rows(
    doc: Doc, decoded: npt.NDArray[np.float32]
) -> Iterator[tuple[int, int, str, float]]:
    """Yield start, end, label and score of each mention, by label and place.

    Parameters
    ----------
    doc
        The doc.
    decoded
        float32 [tokens, 2 x labels]: a tag for each label, then its probability.

    Notes
    -----
    The score is the lowest probability of a mention's tags.
    """
    if len(doc) == 0:
        return
    count = len(LABELS)
    columns = doc.to_array(["IDX", "LENGTH", "IS_SPACE"]).astype(np.int64)
    words = np.flatnonzero(columns[:, 2] == 0)
    starts, lengths = columns[words, 0], columns[words, 1]
    for layer, label in enumerate(LABELS):
        tags = decoded[words, layer].astype(np.int64)
        marked = np.flatnonzero(tags)
        if len(marked) == 0:
            continue
        scores = decoded[words, count + layer]
        for first, last in spans_of(tags.tolist()):
            score = float(scores[first : last + 1].min())
            yield int(starts[first]), int(starts[last] + lengths[last]), label, score
