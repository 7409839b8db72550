"""Splits by a hash of an id or a text.

A hash needs no list to be kept, gives every machine the same parts, and leaves rows where they
are when others are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def hash_fraction(key: str) -> float:
    """Return a number in [0, 1) that depends on the key alone.

    Parameters
    ----------
    key
        What is split, after a salt of the caller's own: two splits are then independent.
    """
    return int.from_bytes(_digest(key)[:8], "big") / 2**64


def assign_part(key: str, shares: Mapping[str, float], rest: str) -> str:
    """Return the part that a key falls in.

    Parameters
    ----------
    shares
        Share of each part, 0..1, in the order in which they are laid along [0, 1).
    rest
        The part that takes what the shares leave.
    """
    fraction, bound = hash_fraction(key), 0.0
    for part, share in shares.items():
        bound += share
        if fraction < bound:
            return part
    return rest


def in_first_of(parts: int, key: str) -> bool:
    """Return whether a key falls in the first of some parts of equal size (up to 256)."""
    return _digest(key)[0] % parts == 0


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
