"""The output folder: private to the user, replaced as a whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO, Self

from clinical_nlp.errors import OutputError

#: A folder that holds this file holds an earlier run's results, and may be replaced.
RUN_RECORD = "run.json"
#: Outputs that only some runs write; those of an earlier run are removed.
_OPTIONAL = ("mentions.parquet",)
_STAGING = ".partial"
_LOCK = ".lock"


class OutputFolder:
    """Stages a run's files and puts them in place when the run has succeeded.

    Until then the earlier results stay; a run that fails leaves nothing behind. Files and
    folders have mode 0600 and 0700.

    Parameters
    ----------
    folder
        Where results go. Made if absent; must be empty or hold an earlier run.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E501 the folder holds something else; E502 another run is writing there;
        E503 the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.staging = folder / _STAGING
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        os.umask(0o077)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            content = {entry.name for entry in self.folder.iterdir()} - {_STAGING, _LOCK}
            if content and RUN_RECORD not in content:
                raise OutputError(
                    "E501",
                    f"the folder '{self.folder}' holds files that are not an earlier run's "
                    "results; name an empty or a new folder with --out.",
                )
            self._lock = (self.folder / _LOCK).open("w")
            self._take_lock(self._lock)
            # Left by a killed run: the lock shows that no process is writing it now.
            shutil.rmtree(self.staging, ignore_errors=True)
            self.staging.mkdir(mode=0o700)
            self.folder.chmod(0o700)
        except OSError as error:
            raise OutputError(
                "E503",
                f"the folder '{self.folder}' cannot be written ({error.strerror}); "
                "give a folder you own, on a disk with room, with --out.",
            ) from None
        return self

    def _take_lock(self, lock: IO[str]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise OutputError(
                "E502",
                f"another run is writing to '{self.folder}'; wait for it to end, "
                "or name another folder with --out.",
            ) from None

    def publish(self) -> None:
        """Put the staged files in place of the earlier run's."""
        for name in _OPTIONAL:
            if not (self.staging / name).exists():
                (self.folder / name).unlink(missing_ok=True)
        # run.json last: while it is the old one, the results are not yet all new.
        for staged in sorted(self.staging.iterdir(), key=lambda p: (p.name == RUN_RECORD, p.name)):
            target = self.folder / staged.name
            if target.is_dir():
                shutil.rmtree(target)
            staged.replace(target)

    def __exit__(self, *failure: object) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)
        if self._lock is not None:
            # The file stays: if it were removed, a waiting run could lock a deleted file.
            self._lock.close()
