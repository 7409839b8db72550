"""Pieces of what stands between blanks, looked up instead of cut anew.

Running text is made of few different stretches, most of which were seen in the notes before.
Where a tokenizer parts a text at white space before all else, what it makes of a stretch depends
on nothing around it, and a table can answer in its stead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Ints = npt.NDArray[np.int32]

#: Stretches and pieces kept; when there are more, the table begins anew. A stretch costs some
#: 200 bytes.
_MOST_STRETCHES, _MOST_PIECES = 65_536, 262_144
#: Longest stretch handed to the tokenizer, in characters, whose answer holds some 200 bytes a
#: piece: what is longer is no language, and is cut.
_LONGEST = 20_000

#: Some of what every tokenizer takes for white space. What it parts besides (no-break spaces),
#: it may part within a stretch.
_BLANKS = np.array([ord(blank) for blank in " \t\r\n"], dtype=np.uint32)
_BETWEEN = "\n"

#: Normalisers that turn each character, with its marks, into others wherever it stands.
_LOCAL = frozenset({"NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"})
#: A set of characters, of which marks are no white space.
_SET = re.compile(r"\[(?:\\p\{M\}|\\u[0-9a-f]{4}|-)+\]", re.IGNORECASE)
_MARKS = r"\p{M}"
_BLANK = re.compile(r"\s")


class WhitespaceChunkCache:
    """What a tokenizer makes of each stretch between blanks.

    Parameters
    ----------
    backend
        A tokenizer that :func:`parts_at_blanks` says yes to, without truncation or padding.
    """

    def __init__(self, backend: Tokenizer) -> None:
        self._backend = backend
        self._clear()

    def _clear(self) -> None:
        self._rows: dict[str, int] = {}
        self._begin = np.zeros(1, dtype=np.int64)
        # Of each piece: its id, and where in its stretch it begins and ends.
        self._pieces = np.zeros((0, 3), dtype=np.int32)

    def read(self, texts: Sequence[str]) -> tuple[Ints, npt.NDArray[np.int64]]:
        """Cut texts into pieces.

        Returns
        -------
        tuple of arrays
            Id, start and end of each piece, int32 [pieces, 3], with places in code points
            of its text, and how many pieces each text has, int64 [texts].
        """
        joined = _BETWEEN.join(texts)
        starts, ends = _stretches(joined)
        words = [
            joined[begin:end] for begin, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]
        if len(self._rows) > _MOST_STRETCHES or len(self._pieces) > _MOST_PIECES:
            self._clear()
        new = set(words).difference(self._rows)
        if new:
            self._add(new)
        rows = np.array([self._rows[word] for word in words], dtype=np.int64)
        begin = self._begin[rows]
        counts = self._begin[rows + 1] - begin
        upto = np.concatenate((np.zeros(1, dtype=np.int64), counts.cumsum()))
        # Within a stretch the table is read row after row, between two it is jumped in.
        index = np.arange(upto[-1]) + np.repeat(begin - upto[:-1], counts)
        pieces = self._pieces[index]
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        origins = np.cumsum(lengths + len(_BETWEEN)) - lengths - len(_BETWEEN)
        text = np.searchsorted(origins, starts, side="right") - 1
        pieces[:, 1:] += np.repeat(starts - origins[text], counts)[:, None]
        borders = np.searchsorted(starts, np.append(origins, len(joined) + 1))
        return pieces, np.diff(upto[borders])

    def _add(self, words: set[str]) -> None:
        """Ask the tokenizer for stretches that the table lacks."""
        # A set's order differs from run to run; the table's need not.
        asked = sorted(words)
        lengths = np.array([len(word) for word in asked], dtype=np.int64)
        origins = np.cumsum(lengths + len(_BETWEEN)) - lengths - len(_BETWEEN)
        # All at once: what parts texts at blanks parts these too.
        encoding = self._backend.encode(_BETWEEN.join(asked), add_special_tokens=False)
        rows = rows_of(encoding)
        word = np.searchsorted(origins, rows[:, 1], side="right") - 1
        rows[:, 1:] -= origins[word, None].astype(np.int32)
        counts = np.bincount(word, minlength=len(asked))
        self._rows |= {word: len(self._rows) + row for row, word in enumerate(asked)}
        self._begin = np.concatenate((self._begin, self._begin[-1] + counts.cumsum()))
        self._pieces = np.concatenate((self._pieces, rows))


def _stretches(text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where stretches begin and end, in code points."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    inside = np.zeros(len(points) + 2, dtype=np.int8)
    inside[1:-1] = ~np.isin(points, _BLANKS)
    edges = np.flatnonzero(np.diff(inside))
    starts, ends = edges[::2], edges[1::2]
    if len(starts) and (ends - starts).max() > _LONGEST:
        parts = [np.arange(a, b, _LONGEST) for a, b in zip(starts, ends, strict=True)]
        starts = np.concatenate(parts)
        ends = np.minimum(np.append(starts[1:], len(points)), starts + _LONGEST)
        ends = np.minimum(ends, edges[1::2][np.searchsorted(edges[1::2], starts, side="right")])
    return starts, ends


def rows_of(encoding: Encoding) -> Ints:
    """Id, start and end of each piece, int32 [pieces, 3]."""
    rows = [(each, *place) for each, place in zip(encoding.ids, encoding.offsets, strict=True)]
    return np.array(rows, dtype=np.int32).reshape(-1, 3)


def parts_at_blanks(backend: Tokenizer) -> bool:
    """Whether a tokenizer makes the same of a stretch wherever it stands between blanks.

    So it is where white space is parted at first, nothing before that looks further than a
    character and its marks, and no special piece takes the blanks beside it along.
    """
    told: dict[str, Any] = json.loads(backend.to_str())
    cut = _steps(told["pre_tokenizer"], "pretokenizers")
    return (
        bool(cut)
        and cut[0]["type"] == "WhitespaceSplit"
        and all(_is_local(step) for step in _steps(told["normalizer"], "normalizers"))
        and not any(piece["lstrip"] or piece["rstrip"] for piece in told["added_tokens"])
        and not any(_BLANK.search(piece["content"]) for piece in told["added_tokens"])
        and not told["model"].get("dropout")
    )


def _steps(told: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    """Steps of what may be a sequence of them, one, or none."""
    if told is None:
        return []
    return list(told[name]) if told["type"] == "Sequence" else [told]


def _is_local(step: dict[str, Any]) -> bool:
    """Whether a normaliser's step sees no further than a character and its marks."""
    if step["type"] != "Replace":
        return step["type"] in _LOCAL
    pattern = step["pattern"].get("Regex", "")
    if step["content"] or not _SET.fullmatch(pattern):
        return False
    rest = pattern.replace(_MARKS, "")
    return rest == "[]" or not any(re.match(rest, blank) for blank in " \t\r\n")
