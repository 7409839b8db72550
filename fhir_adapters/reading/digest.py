"""A digest of an export that does not depend on the order or compression of its files."""

from __future__ import annotations

import hashlib

_BYTES = 256
_MODULUS = 1 << (8 * _BYTES)


class MultisetDigest:
    """Hash of a multiset of lines, in memory of constant size.

    Each line's SHA-256 is expanded to 2048 bits by SHAKE-128, and the numbers are added
    modulo 2**2048. Addition commutes, so order does not matter; it counts, so (unlike XOR)
    a line that occurs twice does not vanish. Two exports that differ by accident collide
    with probability 2**-256 (a collision of SHA-256) at most. The width is against malice: for
    an n-bit sum the generalised birthday attack costs about 2**(2*sqrt(n)), 2**32 for a sum
    of plain SHA-256 values but 2**90 for 2048 bits.

    References
    ----------
    Bellare & Micciancio, "A new paradigm for collision-free hashing: incrementality at
    reduced cost", EUROCRYPT 1997 (AdHash). Wagner, "A generalized birthday problem",
    CRYPTO 2002.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._count = 0

    def add(self, line_digest: bytes) -> None:
        """Add one line by its SHA-256 (32 bytes)."""
        wide = hashlib.shake_128(line_digest).digest(_BYTES)
        self._sum = (self._sum + int.from_bytes(wide, "big")) % _MODULUS
        self._count += 1

    def hexdigest(self) -> str:
        """Return the hexadecimal SHA-256 of the count and the sum."""
        content = self._count.to_bytes(8, "big") + self._sum.to_bytes(_BYTES, "big")
        return hashlib.sha256(content).hexdigest()
