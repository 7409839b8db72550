"""Features of a word that the tagger reads beside its subwords.

The encoder reads lower-case text without accents, so that ``DISNEA``, ``Disnea`` and
``disnea`` share their pieces; the shape feature restores case, digits and punctuation. Affixes
help with unseen words: ``-itis``, ``-ectomía``, ``-olol``. They are hashed, so that no
vocabulary is shipped.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from spacy.attrs import IDX, IS_SPACE, LENGTH, ORTH
from spacy.tokens import Doc

from clinical_nlp.matching.norms import normalise_word

#: Columns of the features of a word: shape, prefix of 3, suffix of 3, suffix of 5, gap.
FEATURES = 5
SHAPES = 32
#: Rows of the table that affixes are hashed into; row 0 is "left out" (padding, dropout).
AFFIX_ROWS = 4096
GAPS = 3

#: Gap before a word: none, blanks, or a line break (or the start of the note).
NO_GAP, BLANK, NEW_LINE = range(GAPS)

_PUNCTUATION = ".,;:()-/%+"


def shape(word: str) -> int:
    """Id of a word's shape, 1 to 26; 0 is padding."""
    if word.isdigit():
        return 1 + min(len(word), 4)
    if word[0].isdigit():
        return 6
    if not word[0].isalpha():
        return 7 + _PUNCTUATION.find(word[0]) if word[0] in _PUNCTUATION else 17
    if word.isupper():
        return 18 if len(word) == 1 else 19 if len(word) <= 3 else 20 if len(word) < 6 else 21
    if word[0].isupper():
        return 22 if word[1:].islower() else 23
    return 24 if word.islower() else 25


def _row(affix: str) -> int:
    return 1 + zlib.crc32(affix.encode()) % (AFFIX_ROWS - 1)


@lru_cache(maxsize=65_536)
def word_features(word: str) -> tuple[int, int, int, int]:
    """Shape and affixes of a word, the first four features."""
    norm = normalise_word(word) or "_"
    return shape(word), _row("p" + norm[:3]), _row("s" + norm[-3:]), _row("S" + norm[-5:])


def doc_features(doc: Doc) -> npt.NDArray[np.int64]:
    """Features of every token of a doc, int64 [tokens, 5]; rows of white space are zero."""
    features = np.zeros((len(doc), FEATURES), dtype=np.int64)
    columns = doc.to_array([ORTH, IDX, LENGTH, IS_SPACE])
    words = np.flatnonzero(columns[:, 3] == 0)
    if len(words) == 0:
        return features
    keys, inverse = np.unique(columns[words, 0], return_inverse=True)
    strings = doc.vocab.strings
    table = np.array([word_features(strings[key]) for key in keys.tolist()], dtype=np.int64)
    features[words, :4] = table[inverse]
    starts = columns[words, 1].astype(np.int64)
    ends = starts + columns[words, 2].astype(np.int64)
    gaps = np.full(len(words), NEW_LINE, dtype=np.int64)
    gaps[1:] = np.where(starts[1:] > ends[:-1], BLANK, NO_GAP)
    # Line breaks stand in white-space tokens only, so that few texts need to be looked at.
    for place in np.flatnonzero(np.diff(words) > 1) + 1:
        between = doc[int(words[place - 1]) + 1 : int(words[place])].text
        if "\n" in between or "\r" in between:
            gaps[place] = NEW_LINE
    features[words, 4] = gaps
    return features
