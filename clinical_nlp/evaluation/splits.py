"""Splits by a hash of an id or a text.

A hash needs no list to be kept, gives every machine the same parts, and leaves rows where they
are when others are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum


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


class Part(StrEnum):
    """Notes of a gold set: all, those for development, or the held-out fifth."""

    ALL = "all"
    TUNE = "tune"
    HELD_OUT = "held-out"

    @classmethod
    def parse(cls, name: str) -> Part:
        """Return the part of a name; ``apart`` is the earlier name of the held-out part."""
        return cls.HELD_OUT if name == "apart" else cls(name)

    def holds(self, note_id: str) -> bool:
        """Return whether a note belongs to this part."""
        return self is Part.ALL or in_first_of(5, note_id) == (self is Part.HELD_OUT)


class Half(StrEnum):
    """Coded cases: all, the half whose misses may be read, or the half to report."""

    ALL = "all"
    TUNE = "tune"
    REPORT = "report"

    def holds(self, case_id: str) -> bool:
        """Return whether a case belongs to this half."""
        return self is Half.ALL or in_first_of(2, case_id) == (self is Half.TUNE)
