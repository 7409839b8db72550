"""The fifth of a development set that nobody looks at while tuning."""

from __future__ import annotations

import hashlib
from enum import StrEnum


class Part(StrEnum):
    """Which notes of a gold set to score."""

    ALL = "all"
    TUNE = "tune"
    APART = "apart"

    def holds(self, note_id: str) -> bool:
        """Whether a note belongs to this part.

        The split is by a hash of the id, so that it needs no list to be kept, stays when
        notes are added, and is the same on every machine.
        """
        if self is Part.ALL:
            return True
        apart = hashlib.sha256(note_id.encode()).digest()[0] % 5 == 0
        return apart == (self is Part.APART)
