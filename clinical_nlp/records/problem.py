"""A resource or note that could not be used, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of ``quarantine.ndjson``.

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
