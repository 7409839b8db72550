"""Counts of what became of each line of an export; they must add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(slots=True)
class TypeCounts:
    """Counts of one resource type's lines; the parts add up to ``seen``.

    Parameters
    ----------
    seen
        Lines of the export of this type.
    used
        Part of a patient's record.
    skipped
        Type that the job does not use.
    left_out
        Used type, but superseded, entered in error or without a note.
    duplicate
        Same type and id as one already taken.
    quarantined
        Unusable; each has a line in the quarantine.
    """

    seen: int = 0
    used: int = 0
    skipped: int = 0
    left_out: int = 0
    duplicate: int = 0
    quarantined: int = 0

    def adds_up(self) -> bool:
        """True where nothing was lost."""
        parts = self.used + self.skipped + self.left_out + self.duplicate + self.quarantined
        return self.seen == parts


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Patients with something that begins on a day, and the resources that do."""

    patients: int
    resources: int


@dataclass(frozen=True, slots=True)
class FileCounts:
    """Files of the export, members of archives too.

    Parameters
    ----------
    read
        Line by line.
    unread
        Not read, though they may hold resources; each has a line in the quarantine.
    other
        Not read, as their names show that they hold no resources.
    """

    read: int = 0
    unread: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """Result of a scan of the export.

    Parameters
    ----------
    types
        Counts by resource type (``"?"`` for lines whose type cannot be read).
    lines
        Resources read, all files together: non-empty lines, and entries of Bundles.
    patients, notes
        Patients that will be yielded, and their notes.
    days
        Patients and resources by the day on which they begin (note written, value measured,
        drug or problem started), future dates aside.
    digest
        Hex SHA-256 over the export's decoded lines, whatever the order of files.
    files
        Files that were read, and that were not.
    """

    types: Mapping[str, TypeCounts] = field(default_factory=dict)
    lines: int = 0
    patients: int = 0
    notes: int = 0
    days: Mapping[date, DayCounts] = field(default_factory=dict)
    digest: str = ""
    files: FileCounts = field(default=FileCounts(), compare=False)

    @property
    def latest(self) -> date | None:
        """The latest of ``days``; it may be mistyped."""
        return max(self.days, default=None)

    def adds_up(self) -> bool:
        """True where every line read is accounted for, type by type."""
        seen = sum(counts.seen for counts in self.types.values())
        return self.lines == seen and all(counts.adds_up() for counts in self.types.values())


@dataclass(frozen=True, slots=True)
class Problem:
    """A resource or note that could not be used: one line of ``quarantine.ndjson``.

    Parameters
    ----------
    code
        Error code, e.g. ``"E203"`` (docs/reference/errors.md).
    reason
        One sentence that ends in the remedy. Never holds patient text.
    file, line
        File name (no folder) and 1-based line in the export, where known.
    resource
        Reference of the resource, e.g. ``"DocumentReference/12"``, where readable.
    """

    code: str
    reason: str
    file: str | None = None
    line: int | None = None
    resource: str | None = None
