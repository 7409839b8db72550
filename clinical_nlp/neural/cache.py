"""Results of units read before: notes repeat themselves, by template and by copying."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

#: What an entry costs beside its numbers: key, array header, place in the table (bytes).
_OVERHEAD = 300


class ResultCache:
    """The results last used, up to so many bytes, in memory only.

    Keys are digests under a key that is drawn anew for every cache, so that neither a dump
    of the memory nor anything else can be searched for a sentence.

    Parameters
    ----------
    mib
        Most MiB to hold; 0 keeps nothing.

    Attributes
    ----------
    hits, misses
        How often a result was there, and was not.
    """

    def __init__(self, mib: float) -> None:
        self._most = int(mib * 2**20)
        self._used = 0
        self._kept: OrderedDict[bytes, Floats] = OrderedDict()
        self._secret = secrets.token_bytes(16)
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    def key(self, text: str, *parts: bytes) -> bytes:
        """Digest of a text and whatever else decides its result (16 bytes)."""
        digest = hashlib.blake2b(
            text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret
        )
        for part in parts:
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        return digest.digest()

    def get(self, key: bytes) -> Floats | None:
        """Return the result of ``key``, if it is kept."""
        found = self._kept.get(key)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return found

    def put(self, key: bytes, result: Floats) -> None:
        """Keep a result; those not used for longest make room."""
        size = result.nbytes + _OVERHEAD
        if size > self._most or key in self._kept:
            return
        self._kept[key] = result
        self._used += size
        while self._used > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._used -= oldest.nbytes + _OVERHEAD

    def clear(self) -> None:
        """Forget everything, counters too."""
        self._kept.clear()
        self._used = self.hits = self.misses = 0
