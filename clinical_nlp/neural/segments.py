"""Cut docs into the segments that the encoder reads: sentences, packed sentences, or notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from spacy.tokens import Doc

Ints = npt.NDArray[np.int32]

#: ``"sentence"``, ``"note"``, or a number of words up to which whole sentences are packed.
Context = Literal["sentence", "note"] | int

#: Characters of a word that are read. Only base64 and ruled lines are longer.
LONGEST_WORD = 512

_COLUMNS: list[int | str] = ["IDX", "LENGTH", "IS_SPACE", "SENT_START"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a doc that is read at once.

    Attributes
    ----------
    tokens
        Indices in the doc of its words, int32 [words]; white space is no word.
    text
        The text from the first word's start to the last word's end.
    starts, ends
        Places of the words in ``text``, in code points, int32 [words].
    """

    tokens: Ints
    text: str
    starts: Ints
    ends: Ints


def segment(doc: Doc, context: Context) -> Iterator[Segment]:
    """Cut a doc into segments.

    Parameters
    ----------
    doc
        Tokenised, by any tokenizer, with sentences.
    context
        Length of a segment. A number packs whole sentences, from the start of the note, up to
        that many words; a longer sentence is a segment of its own.

    Yields
    ------
    Segment
        In order. Every token that is not white space is in exactly one of them. A word of
        more than 512 characters is a segment of its own and is truncated, so that base64 does
        not crowd out the text around it.
    """
    columns = doc.to_array(_COLUMNS).astype(np.int64)
    tokens = np.flatnonzero(columns[:, 2] == 0).astype(np.int32)
    if len(tokens) == 0:
        return
    starts = columns[tokens, 0]
    ends = starts + columns[tokens, 1]
    sentence = np.cumsum(columns[:, 3] == 1)[tokens]
    cuts = _cuts(sentence, context)
    huge = np.flatnonzero(ends - starts > LONGEST_WORD)
    if len(huge):
        cuts = np.union1d(cuts, np.concatenate((huge, huge + 1)))
        ends[huge] = starts[huge] + LONGEST_WORD
    text = doc.text
    for begin, end in zip([0, *cuts], [*cuts, len(tokens)], strict=True):
        if begin == end:
            continue
        origin, stop = int(starts[begin]), int(ends[end - 1])
        yield Segment(
            tokens[begin:end],
            text[origin:stop],
            (starts[begin:end] - origin).astype(np.int32),
            (ends[begin:end] - origin).astype(np.int32),
        )


def _cuts(sentence: npt.NDArray[np.int64], context: Context) -> npt.NDArray[np.int64]:
    """Indices of the words before which a segment ends."""
    if context == "note":
        return np.zeros(0, dtype=np.int64)
    borders = np.flatnonzero(np.diff(sentence)) + 1
    if context == "sentence":
        return borders
    kept: list[int] = []
    begin = 0
    for border, following in pairwise([*borders.tolist(), len(sentence)]):
        if following - begin > context:
            kept.append(border)
            begin = border
    return np.array(kept, dtype=np.int64)
