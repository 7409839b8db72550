"""Align the pieces (subwords) of a checkpoint's tokenizer to the words of a text.

The tokenizer reads the text as it is, because that is what its encoder was trained on, and
its pieces are aligned to our words by character offsets. Splitting the text into words first
would change the pieces: ``FC80`` is one run of characters to a tokenizer and two words to us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clinical_nlp.neural.whitespace_chunks import (
    WhitespaceChunkCache,
    rows_of,
    splits_at_whitespace,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Ints = npt.NDArray[np.int32]

#: Longest text given to the tokenizer at once, in characters. Its output takes some 200 bytes a
#: piece: a note of a million words would need a gigabyte.
_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of one text, without special ones.

    Attributes
    ----------
    ids
        Ids of the pieces, int32 [pieces]; at least one.
    first
        Index into ``ids`` of each word's first piece, int32 [words].
    last
        Index of the last piece that overlaps the word, int32 [words].
    """

    ids: Ints
    first: Ints
    last: Ints


class SubwordAligner:
    """Tokenises texts to pieces that are aligned to words.

    Parameters
    ----------
    tokenizer
        A fast tokenizer of transformers; it is copied without its truncation and padding.

    Attributes
    ----------
    prefix, suffix
        Special ids before and after the pieces of a text (``[CLS]``, ``[SEP]``).
    pad
        Padding id.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        from tokenizers import Tokenizer

        self._backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._backend.no_truncation()
        self._backend.no_padding()
        self._chunk_cache = (
            WhitespaceChunkCache(self._backend) if splits_at_whitespace(self._backend) else None
        )
        framed = self._backend.encode("a", add_special_tokens=True)
        special = np.asarray(framed.special_tokens_mask, dtype=bool)
        inner = np.flatnonzero(~special)
        opened, closed = (inner[0], inner[-1] + 1) if len(inner) else (len(special),) * 2
        self.prefix: list[int] = framed.ids[:opened]
        self.suffix: list[int] = framed.ids[closed:]
        self.pad = int(tokenizer.pad_token_id or 0)
        unknown = tokenizer.unk_token_id
        self._unknown = int(self.pad if unknown is None else unknown)
        self.largest_id = max(self._backend.get_vocab(with_added_tokens=True).values(), default=0)

    @property
    def framing(self) -> int:
        """Number of special ids of a text."""
        return len(self.prefix) + len(self.suffix)

    def read(
        self, texts: Sequence[str], starts: Sequence[Ints], ends: Sequence[Ints]
    ) -> list[Pieces]:
        """Tokenise texts.

        Parameters
        ----------
        texts
            Any texts.
        starts, ends
            Starts and ends of the words of each text, in code points, in order and disjoint.

        Returns
        -------
        list of Pieces
            One for each text. Every word has a piece: the first that begins in it; else the
            one that runs into it; else, if the tokenizer drops the word (a zero-width space),
            the piece before it.
        """
        if self._chunk_cache is not None:
            pieces, counts = self._chunk_cache.read(texts)
        else:
            pieces, counts = self._cut(texts, starts)
        if len(texts) and not counts.all():
            pieces, counts = self._with_unknown(pieces, counts, [len(text) for text in texts])
        return _aligned(pieces, counts, [len(text) for text in texts], starts, ends)

    def _cut(
        self, texts: Sequence[str], starts: Sequence[Ints]
    ) -> tuple[Ints, npt.NDArray[np.int64]]:
        """Tokenise without the cache; returns the same as :meth:`WhitespaceChunkCache.read`."""
        chunks = [
            (number, start, stop)
            for number, text in enumerate(texts)
            for start, stop in _chunks(text, starts[number])
        ]
        encodings = self._backend.encode_batch(
            [texts[number][start:stop] for number, start, stop in chunks],
            add_special_tokens=False,
        )
        counts = np.zeros(len(texts), dtype=np.int64)
        parts = [np.zeros((0, 3), dtype=np.int32)]
        for (number, start, _), encoding in zip(chunks, encodings, strict=True):
            rows = rows_of(encoding)
            rows[:, 1:] += start
            parts.append(rows)
            counts[number] += len(rows)
        return np.concatenate(parts), counts

    def _with_unknown(
        self, pieces: Ints, counts: npt.NDArray[np.int64], lengths: list[int]
    ) -> tuple[Ints, npt.NDArray[np.int64]]:
        """Give texts of which the tokenizer drops every character one unknown piece."""
        empty = np.flatnonzero(counts == 0)
        rows = [(self._unknown, 0, lengths[number]) for number in empty]
        return np.insert(pieces, counts.cumsum()[empty], rows, axis=0), np.maximum(counts, 1)


def _aligned(
    pieces: Ints,
    counts: npt.NDArray[np.int64],
    lengths: Sequence[int],
    starts: Sequence[Ints],
    ends: Sequence[Ints],
) -> list[Pieces]:
    """Align the pieces of all texts to their words.

    The texts are concatenated, one character apart, so that no piece overlaps two of them.
    """
    origin = np.concatenate(([0], np.cumsum(np.array(lengths, dtype=np.int64) + 1)))[:-1]
    words = np.array([len(row) for row in starts], dtype=np.int64)
    piece_at, word_at = (np.concatenate(([0], np.cumsum(row))) for row in (counts, words))
    lowest = np.repeat(piece_at[:-1], words)
    highest = np.repeat(piece_at[1:], words) - 1
    shift = np.repeat(origin, words)
    start, end = (
        np.concatenate([*places, []]).astype(np.int64) + shift for places in (starts, ends)
    )
    piece_start = pieces[:, 1] + np.repeat(origin, counts)
    piece_end = np.maximum.accumulate(pieces[:, 2] + np.repeat(origin, counts))
    first = np.searchsorted(piece_end, start, side="right")
    last = np.searchsorted(piece_start, end, side="left") - 1
    # A piece that begins in the word before gives way to one that begins here.
    before = np.concatenate((np.zeros(1, dtype=np.int64), end[:-1]))
    shared = (piece_start[np.minimum(first, highest)] < before) & (first < last)
    first = first + shared
    first = np.where(first > last, first - 1, first)
    first = np.maximum.accumulate(np.clip(first, lowest, highest))
    last = np.maximum(last, first)
    return [
        Pieces(
            pieces[begin:stop, 0],
            (first[word : word + count] - begin).astype(np.int32),
            (last[word : word + count] - begin).astype(np.int32),
        )
        for begin, stop, word, count in zip(
            piece_at[:-1].tolist(),
            piece_at[1:].tolist(),
            word_at[:-1].tolist(),
            words.tolist(),
            strict=True,
        )
    ]


def _chunks(text: str, starts: Ints) -> list[tuple[int, int]]:
    """Cut a long text before white space, where cuts do not change its pieces."""
    if len(text) <= _LONGEST:
        return [(0, len(text))]
    cuts = [0]
    while len(text) - cuts[-1] > _LONGEST:
        aim = cuts[-1] + _LONGEST
        at = int(np.searchsorted(starts, aim, side="right")) - 1
        while at > 0 and starts[at] > cuts[-1] + 1 and not text[starts[at] - 1].isspace():
            at -= 1
        cut = int(starts[at]) - 1 if at > 0 else 0
        cuts.append(cut if cut > cuts[-1] else aim)
    return list(zip(cuts, [*cuts[1:], len(text)], strict=True))
