"""Cache of results of segments: notes repeat sentences, by template and by copying."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

#: Memory of an entry beside its numbers: key, array header, place in the table (bytes).
_OVERHEAD = 300


class ResultCache:
    """A cache with least-recently-used eviction, in memory, bounded in bytes.

    Keys are digests with a random secret for every cache, so that a memory dump cannot be
    searched for a sentence.

    Parameters
    ----------
    mib
        Size in MiB; 0 stores nothing.

    Attributes
    ----------
    hits, misses
        How often a result was found, and was not.
    """

    def __init__(self, mib: float) -> None:
        self._most = int(mib * 2**20)
        self._used = 0
        self._results: OrderedDict[bytes, Floats] = OrderedDict()
        self._secret = secrets.token_bytes(16)
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._results)

    def key(self, text: str, *parts: bytes) -> bytes:
        """Digest of a text and of all else that its result depends on (16 bytes)."""
        digest = hashlib.blake2b(
            text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret
        )
        for part in parts:
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        return digest.digest()

    def get(self, key: bytes) -> Floats | None:
        """Return the result of ``key``, or ``None``."""
        result = self._results.get(key)
        if result is None:
            self.misses += 1
            return None
        self.hits += 1
        self._results.move_to_end(key)
        return result

    def put(self, key: bytes, result: Floats) -> None:
        """Store a result; the least recently used ones are removed."""
        size = result.nbytes + _OVERHEAD
        if size > self._most or key in self._results:
            return
        self._results[key] = result
        self._used += size
        while self._used > self._most:
            _, oldest = self._results.popitem(last=False)
            self._used -= oldest.nbytes + _OVERHEAD

    def clear(self) -> None:
        """Remove everything, and set the counters to zero."""
        self._results.clear()
        self._used = self.hits = self.misses = 0
