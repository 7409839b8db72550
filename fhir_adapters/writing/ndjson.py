"""A private folder of NDJSON files, one a resource type, complete or not there at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from clinical_nlp.errors import OutputError

_UNFINISHED = ".part"


class NdjsonFolder:
    """Writes resources, each type to its own file.

    Files are written as ``Type.ndjson.part`` and take their name when the folder is
    closed, so that a run that breaks off leaves no half file that looks whole. Types
    without a resource have no file; what an earlier run left of them is removed.

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
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self.discard()
        except OSError as error:
            raise _cannot_write(folder.name, error) from None

    def add(self, kind: str, line: str) -> None:
        """Append one resource's JSON to its type's file."""
        try:
            if kind not in self._files:
                self._files[kind] = self._open(kind)
            self._files[kind].write(line.encode("utf-8", "replace") + b"\n")
        except OSError as error:
            raise _cannot_write(f"{kind}.ndjson", error) from None
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def close(self) -> None:
        """Give every file its name."""
        try:
            for file in self._files.values():
                file.close()
            for kind in self._types:
                whole = self._folder / f"{kind}.ndjson"
                if kind in self._files:
                    self._part(kind).replace(whole)
                else:
                    whole.unlink(missing_ok=True)
        except OSError as error:
            raise _cannot_write(self._folder.name, error) from None
        self._files.clear()

    def discard(self) -> None:
        """Remove unfinished files, of this run or of one that broke off."""
        for file in self._files.values():
            file.close()
        self._files.clear()
        for kind in self._types:
            self._part(kind).unlink(missing_ok=True)

    def _part(self, kind: str) -> Path:
        return self._folder / f"{kind}.ndjson{_UNFINISHED}"

    def _open(self, kind: str) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(self._part(kind), flags, 0o600)
        os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "wb", buffering=1 << 18)


def _cannot_write(name: str, error: OSError) -> OutputError:
    return OutputError(
        "E511",
        f"'{name}' cannot be written ({error.strerror or type(error).__name__}); "
        "see that the disk has room and that the folder is yours, then run again.",
    )
