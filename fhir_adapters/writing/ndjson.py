"""A private folder of NDJSON files, one for each resource type, complete or absent."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from clinical_nlp.artifacts import open_private, output_errors

#: Types written, in the order in which a server should load them.
TYPES = (
    "CodeSystem",
    "StructureDefinition",
    "DocumentReference",
    "Device",
    "Observation",
    "FamilyMemberHistory",
    "RiskAssessment",
    "Task",
    "Provenance",
)

_UNFINISHED = ".part"


class NdjsonFolder:
    """Writes resources, each type to its own file.

    Files are written as ``Type.ndjson.part`` and take their name when the folder is
    closed, so that an interrupted run leaves no partial file that looks complete. Types
    without a resource have no file; an earlier run's files of theirs are removed.

    Parameters
    ----------
    folder
        Made with mode 0700 where absent; files have mode 0600.
    types
        Every type that may be written.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E511: a file cannot be written.
    """

    def __init__(self, folder: Path, types: tuple[str, ...]) -> None:
        self._folder = folder
        self._types = types
        self._files: dict[str, BinaryIO] = {}
        self.counts: dict[str, int] = {}
        with output_errors(folder.name):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self.discard()

    def add(self, kind: str, line: str) -> None:
        """Append one resource's JSON to its type's file."""
        with output_errors(f"{kind}.ndjson"):
            if kind not in self._files:
                self._files[kind] = open_private(self._part(kind), exclusive=True)
            self._files[kind].write(line.encode("utf-8", "replace") + b"\n")
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def close(self) -> None:
        """Close every file and give it its final name."""
        with output_errors(self._folder.name):
            for file in self._files.values():
                file.close()
            for kind in self._types:
                whole = self._folder / f"{kind}.ndjson"
                if kind in self._files:
                    self._part(kind).replace(whole)
                else:
                    whole.unlink(missing_ok=True)
        self._files.clear()

    def discard(self) -> None:
        """Remove unfinished files, of this run or of an interrupted one."""
        for file in self._files.values():
            file.close()
        self._files.clear()
        for kind in self._types:
            self._part(kind).unlink(missing_ok=True)

    def _part(self, kind: str) -> Path:
        return self._folder / f"{kind}.ndjson{_UNFINISHED}"
