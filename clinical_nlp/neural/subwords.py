"""Which pieces of a checkpoint's tokenizer belong to which words of a text.

The checkpoint's own tokenizer reads the text as it is, because that is what its encoder was
trained on, and the pieces are laid over our words by character offsets. Splitting the text
into words first would change the pieces: ``FC80`` is one run of characters to a tokenizer
and two words to us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clinical_nlp.neural.whitespace_chunks import WhitespaceChunkCache, parts_at_blanks, rows_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Ints = npt.NDArray[np.int32]

#: Longest text handed to the tokenizer at once, in characters. Its answer holds some 200 bytes
#: a piece, so that a note of a million words would need a gigabyte in one go.
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
    """Reads texts into pieces, aligned to words.

    Parameters
    ----------
    tokenizer
        A fast tokenizer of transformers; it is copied, and its truncation and padding are
        left behind.

    Attributes
    ----------
    prefix, suffix
        Special ids that belong before and after the pieces of a text (``[CLS]``, ``[SEP]``).
    pad
        Id that fills up a batch.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        from tokenizers import Tokenizer

        self._backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._backend.no_truncation()
        self._backend.no_padding()
        self._table = (
            WhitespaceChunkCache(self._backend) if parts_at_blanks(self._backend) else None
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
        """How many special ids a text is framed with."""
        return len(self.prefix) + len(self.suffix)

    def read(
        self, texts: Sequence[str], starts: Sequence[Ints], ends: Sequence[Ints]
    ) -> list[Pieces]:
        """Cut texts into pieces.

        Parameters
        ----------
        texts
            Any texts.
        starts, ends
            For each text the places of its words, in code points, in order and apart.

        Returns
        -------
        list of Pieces
            One a text. Every word has a piece: the first that begins in it; else the one
            that runs into it; else, where the tokenizer drops the word (a zero-width space),
            the piece before it.
        """
        if self._table is not None:
            pieces, counts = self._table.read(texts)
        else:
            pieces, counts = self._cut(texts, starts)
        if len(texts) and not counts.all():
            pieces, counts = self._filled(pieces, counts, [len(text) for text in texts])
        return _aligned(pieces, counts, [len(text) for text in texts], starts, ends)

    def _cut(
        self, texts: Sequence[str], starts: Sequence[Ints]
    ) -> tuple[Ints, npt.NDArray[np.int64]]:
        """Read whole texts; returns what :meth:`WhitespaceChunkCache.read` does."""
        stretches = [
            (number, start, stop)
            for number, text in enumerate(texts)
            for start, stop in _stretches(text, starts[number])
        ]
        encodings = self._backend.encode_batch(
            [texts[number][start:stop] for number, start, stop in stretches],
            add_special_tokens=False,
        )
        counts = np.zeros(len(texts), dtype=np.int64)
        parts = [np.zeros((0, 3), dtype=np.int32)]
        for (number, start, _), encoding in zip(stretches, encodings, strict=True):
            rows = rows_of(encoding)
            rows[:, 1:] += start
            parts.append(rows)
            counts[number] += len(rows)
        return np.concatenate(parts), counts

    def _filled(
        self, pieces: Ints, counts: npt.NDArray[np.int64], lengths: list[int]
    ) -> tuple[Ints, npt.NDArray[np.int64]]:
        """Give a text of nothing but characters that the tokenizer drops one unknown piece."""
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
    """Lay the pieces of texts over their words, all texts at once.

    They are laid end to end for it, a character apart, so that nothing overlaps two of them.
    """
    origin = np.concatenate(([0], np.cumsum(np.array(lengths, dtype=np.int64) + 1)))[:-1]
    words = np.array([len(row) for row in starts], dtype=np.int64)
    piece_at, word_at = (np.concatenate(([0], np.cumsum(row))) for row in (counts, words))
    lowest = np.repeat(piece_at[:-1], words)
    highest = np.repeat(piece_at[1:], words) - 1
    shift = np.repeat(origin, words)
    start, end = (np.concatenate([*given, []]).astype(np.int64) + shift for given in (starts, ends))
    begun = pieces[:, 1] + np.repeat(origin, counts)
    ended = np.maximum.accumulate(pieces[:, 2] + np.repeat(origin, counts))
    first = np.searchsorted(ended, start, side="right")
    last = np.searchsorted(begun, end, side="left") - 1
    # A piece that reaches over from the word before yields to one that begins here.
    before = np.concatenate((np.zeros(1, dtype=np.int64), end[:-1]))
    shared = (begun[np.minimum(first, highest)] < before) & (first < last)
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


def _stretches(text: str, starts: Ints) -> list[tuple[int, int]]:
    """Cut a long text before white space, so that the cuts leave its pieces as they were."""
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
