"""The form of a word that every rule matches on."""

from __future__ import annotations

import re
import unicodedata

# Combining accents, soft hyphen, zero-width spaces and joiners, byte order mark.
_INVISIBLE = re.compile("[\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff]")


def normalise_word(word: str) -> str:
    """Return the form rules match on: compatibility-composed, lower case, no accents.

    ``Crépitos``, ``CREPITOS`` and their NFD spellings give ``crepitos``; the ligature
    in ``ﬁbrilación`` opens to ``fi``; ``ñ`` becomes ``n`` because notes typed on foreign
    keyboards lose it.
    """
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return _INVISIBLE.sub("", decomposed)
