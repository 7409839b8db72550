"""The fifth of a development set that nobody looks at while tuning."""

from __future__ import annotations

from enum import StrEnum

from clinical_nlp.evaluation.splits import in_first_of


class Part(StrEnum):
    """Which notes of a gold set to score."""

    ALL = "all"
    TUNE = "tune"
    APART = "apart"

    def holds(self, note_id: str) -> bool:
        """Whether a note belongs to this part.

        The split is by a hash of the id (:mod:`clinical_nlp.evaluation.splits`).
        """
        return self is Part.ALL or in_first_of(5, note_id) == (self is Part.APART)
