"""Gold and predicted notes as read from JSON lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clinical_nlp.records import FLAGS


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked span: a finding of a note, or a target whose assertion is asked for.

    ``value`` is ``None`` but for measurements; ``concept`` is ``None`` for targets.
    ``flags`` holds the axes that the row names, in the order of ``FLAGS``.
    """

    start: int
    end: int
    concept: str | None
    value: float | None
    flags: tuple[tuple[str, bool], ...]

    @classmethod
    def from_row(cls, row: Mapping[str, Any], all_flags: bool = True) -> Mark:
        """Read a finding or target; absent flags are false, or left out for targets."""
        names = [name for name in FLAGS if all_flags or name in row]
        return cls(
            int(row["start"]),
            int(row["end"]),
            row.get("concept"),
            row.get("value"),
            tuple((name, bool(row.get(name))) for name in names),
        )

    @property
    def affirmed(self) -> bool:
        """True where no flag is set."""
        return not any(value for _, value in self.flags)


@dataclass(frozen=True, slots=True)
class MarkedNote:
    """A note's id, text, group labels (language, style) and marks."""

    id: str
    text: str
    language: str
    marks: tuple[Mark, ...]


def finding_note(row: Mapping[str, Any]) -> MarkedNote:
    """Read a row of gold findings or of ``clinical-nlp extract``."""
    marks = tuple(Mark.from_row(finding) for finding in row["findings"])
    return MarkedNote(str(row["id"]), row.get("text", ""), row.get("lang", ""), marks)


def target_note(row: Mapping[str, Any]) -> MarkedNote:
    """Read a row of assertion targets."""
    marks = tuple(Mark.from_row(target, all_flags=False) for target in row["targets"])
    return MarkedNote(str(row["id"]), row.get("text", ""), row.get("lang", ""), marks)
