"""Held-out parts of gold sets, by a hash of the id (:mod:`clinical_nlp.evaluation.splits`)."""

from __future__ import annotations

from enum import StrEnum

from clinical_nlp.evaluation.splits import in_first_of


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
