"""Pieces of what stands between blanks, looked up instead of cut anew.

Running text is made of few different stretches: of 250 words of a case report nine in ten were
seen in the notes before. Where a tokenizer parts a text at white space before all else, what it
makes of a stretch depends on nothing around it, and a table answers in a tenth of the time.
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
_STRETCH = re.compile(rf"[^ \t\r\n]{{1,{_LONGEST}}}")

#: Normalisers that turn each character, with its marks, into others wherever it stands.
_LOCAL = frozenset({"NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"})
#: A set of characters, of which marks are no white space.
_SET = re.compile(r"\[(?:\\p\{M\}|\\u[0-9a-f]{4}|-)+\]", re.IGNORECASE)
_MARKS = r"\p{M}"
_BLANK = re.compile(r"\s")


class StretchTable:
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
        found = [
            [(match.group(), match.start()) for match in _STRETCH.finditer(text)] for text in texts
        ]
        if len(self._rows) > _MOST_STRETCHES or len(self._pieces) > _MOST_PIECES:
            self._clear()
        self._add({word for text in found for word, _ in text if word not in self._rows})
        rows = np.array([self._rows[word] for text in found for word, _ in text], dtype=np.int64)
        places = np.array([place for text in found for _, place in text], dtype=np.int32)
        begin = self._begin[rows]
        counts = self._begin[rows + 1] - begin
        ends = counts.cumsum()
        # Within a stretch the table is read row after row, between two it is jumped in.
        index = np.arange(counts.sum()) + np.repeat(begin - (ends - counts), counts)
        pieces = self._pieces[index]
        pieces[:, 1:] += np.repeat(places, counts)[:, None]
        read = np.concatenate((np.zeros(1, dtype=np.int64), ends))
        borders = np.cumsum([0, *(len(text) for text in found)])
        return pieces, np.diff(read[borders])

    def _add(self, words: set[str]) -> None:
        """Ask the tokenizer for stretches that the table lacks."""
        # A set's order differs from run to run; the table's need not.
        asked = sorted(words)
        encodings = self._backend.encode_batch(asked, add_special_tokens=False)
        self._rows |= {word: len(self._rows) + row for row, word in enumerate(asked)}
        counts = np.array([len(encoding.ids) for encoding in encodings], dtype=np.int64)
        self._begin = np.concatenate((self._begin, self._begin[-1] + counts.cumsum()))
        self._pieces = np.concatenate((self._pieces, *(rows_of(each) for each in encodings)))


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
