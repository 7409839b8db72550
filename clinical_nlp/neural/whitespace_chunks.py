"""Cache of the pieces of whitespace-delimited chunks of text.

Notes are made of few different chunks, most of which occurred in earlier notes. If a tokenizer
splits at white space first, the pieces of a chunk do not depend on its context and can be
looked up.
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

#: Chunks and pieces in the cache; with more it is emptied. A chunk takes some 200 bytes.
_MOST_CHUNKS, _MOST_PIECES = 65_536, 262_144
#: Longest chunk given to the tokenizer, in characters; longer ones are not language and are cut.
_LONGEST = 20_000

#: Characters that every tokenizer takes for white space; it may split a chunk at others too.
_BLANKS = np.array([ord(blank) for blank in " \t\r\n"], dtype=np.uint32)
_BETWEEN = "\n"

#: Normalisers that map each character, with its marks, independently of its context.
_LOCAL = frozenset({"NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"})
#: A regular expression for a set of characters; marks (``\p{M}``) are no white space.
_SET = re.compile(r"\[(?:\\p\{M\}|\\u[0-9a-f]{4}|-)+\]", re.IGNORECASE)
_MARKS = r"\p{M}"
_BLANK = re.compile(r"\s")


class WhitespaceChunkCache:
    """Pieces of each whitespace-delimited chunk.

    Parameters
    ----------
    backend
        A tokenizer for which :func:`splits_at_whitespace` is true, without truncation or padding.
    """

    def __init__(self, backend: Tokenizer) -> None:
        self._backend = backend
        self._clear()

    def _clear(self) -> None:
        self._rows: dict[str, int] = {}
        self._begin = np.zeros(1, dtype=np.int64)
        # Id of each piece, and its start and end in its chunk.
        self._pieces = np.zeros((0, 3), dtype=np.int32)

    def read(self, texts: Sequence[str]) -> tuple[Ints, npt.NDArray[np.int64]]:
        """Tokenise texts.

        Returns
        -------
        tuple of arrays
            Id, start and end (code points in its text) of each piece, int32 [pieces, 3], and
            the number of pieces of each text, int64 [texts].
        """
        joined = _BETWEEN.join(texts)
        starts, ends = _chunks(joined)
        words = [
            joined[begin:end] for begin, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]
        if len(self._rows) > _MOST_CHUNKS or len(self._pieces) > _MOST_PIECES:
            self._clear()
        new = set(words).difference(self._rows)
        if new:
            self._add(new)
        rows = np.array([self._rows[word] for word in words], dtype=np.int64)
        begin = self._begin[rows]
        counts = self._begin[rows + 1] - begin
        upto = np.concatenate((np.zeros(1, dtype=np.int64), counts.cumsum()))
        # Rows of the table are consecutive within a chunk.
        index = np.arange(upto[-1]) + np.repeat(begin - upto[:-1], counts)
        pieces = self._pieces[index]
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        origins = np.cumsum(lengths + len(_BETWEEN)) - lengths - len(_BETWEEN)
        text = np.searchsorted(origins, starts, side="right") - 1
        pieces[:, 1:] += np.repeat(starts - origins[text], counts)[:, None]
        borders = np.searchsorted(starts, np.append(origins, len(joined) + 1))
        return pieces, np.diff(upto[borders])

    def _add(self, words: set[str]) -> None:
        """Tokenise chunks that are not in the cache."""
        # Sorted, as the order of a set differs between runs.
        asked = sorted(words)
        lengths = np.array([len(word) for word in asked], dtype=np.int64)
        origins = np.cumsum(lengths + len(_BETWEEN)) - lengths - len(_BETWEEN)
        # All at once: the tokenizer splits at the separators.
        encoding = self._backend.encode(_BETWEEN.join(asked), add_special_tokens=False)
        rows = rows_of(encoding)
        word = np.searchsorted(origins, rows[:, 1], side="right") - 1
        rows[:, 1:] -= origins[word, None].astype(np.int32)
        counts = np.bincount(word, minlength=len(asked))
        self._rows |= {word: len(self._rows) + row for row, word in enumerate(asked)}
        self._begin = np.concatenate((self._begin, self._begin[-1] + counts.cumsum()))
        self._pieces = np.concatenate((self._pieces, rows))


def _chunks(text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Starts and ends of chunks, in code points."""
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


def splits_at_whitespace(backend: Tokenizer) -> bool:
    """Whether the pieces of a whitespace-delimited chunk do not depend on its context.

    True if the tokenizer splits at white space first, normalises characters independently of
    their context before that, and no special token absorbs white space beside it.
    """
    settings: dict[str, Any] = json.loads(backend.to_str())
    steps = _steps(settings["pre_tokenizer"], "pretokenizers")
    return (
        bool(steps)
        and steps[0]["type"] == "WhitespaceSplit"
        and all(_is_local(step) for step in _steps(settings["normalizer"], "normalizers"))
        and not any(piece["lstrip"] or piece["rstrip"] for piece in settings["added_tokens"])
        and not any(_BLANK.search(piece["content"]) for piece in settings["added_tokens"])
        and not settings["model"].get("dropout")
    )


def _steps(settings: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    """Steps of a component that may be a sequence of them, one, or absent."""
    if settings is None:
        return []
    return list(settings[name]) if settings["type"] == "Sequence" else [settings]


def _is_local(step: dict[str, Any]) -> bool:
    """Whether a normaliser depends on single characters and their marks only."""
    if step["type"] != "Replace":
        return step["type"] in _LOCAL
    pattern = step["pattern"].get("Regex", "")
    if step["content"] or not _SET.fullmatch(pattern):
        return False
    rest = pattern.replace(_MARKS, "")
    return rest == "[]" or not any(re.match(rest, blank) for blank in " \t\r\n")
