"""The output folder: private to the user, replaced in one step or not at all.

Each run's files stand in a folder of their own, ``runs/<time>/``. The link ``current`` names the
one that counts, and ``worklist.csv``, ``fhir`` and the others in the output folder are links
through it. So a run is published by one ``rename`` of one link: whenever the process or the
machine stops, the folder shows the earlier run or the new one, never a mixture.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, Self

from clinical_nlp.artifacts import CURRENT, file_digest
from clinical_nlp.errors import OutputError

#: A folder that holds this file holds an earlier run's results, and may be replaced.
RUN_RECORD: Final = "run.json"
#: Runs that are kept, with the current one.
KEEP_RUNS: Final = 7

_RUNS: Final = "runs"
_STAGING, _LOCK = ".partial", ".lock"
#: Written into a run's folder after it was published (``write-back``).
_LATER: Final = ("delivered.json",)
#: Name of the run whose files a version without ``runs`` left: it sorts before all others.
_EARLIER: Final = "00000000T000000.000000Z"


class OutputFolder:
    """Stages a run's files and puts them in place when the run has succeeded.

    Until then the earlier results stay; a run that fails leaves nothing behind. Files and
    folders have mode 0600 and 0700.

    Parameters
    ----------
    folder
        Where results go. Made if absent; must be empty or hold earlier runs.
    keep
        Runs that are kept, with the new one; at least 1.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E501 the folder holds something else; E502 another run is writing there;
        E503 the folder cannot be written.
    """

    def __init__(self, folder: Path, keep: int = KEEP_RUNS) -> None:
        self.folder = folder
        self.staging = folder / _STAGING
        self._keep = max(1, keep)
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        os.umask(0o077)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            content = {entry.name for entry in self.folder.iterdir()} - {_STAGING, _LOCK}
            if content and not content & {RUN_RECORD, _RUNS}:
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
            raise self._unwritable(error) from None
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
        """Make the staged files the current run.

        Raises
        ------
        OutputError
            E503: the folder cannot be written, or its file system has no symbolic links.
        """
        try:
            self._publish()
        except OSError as error:
            raise self._unwritable(error) from None

    def _publish(self) -> None:
        names = sorted(entry.name for entry in self.staging.iterdir())
        _sync_tree(self.staging)
        runs = self.folder / _RUNS
        runs.mkdir(mode=0o700, exist_ok=True)
        self._take_in_plain_files({*names, *_LATER, "mentions.parquet"})
        run = _unused(runs, datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ"))
        self.staging.rename(run)
        _sync(runs)
        for name in names:  # through ``current``: until it moves they show the earlier run
            self._link(name, f"{CURRENT}/{name}")
        self._link(CURRENT, f"{_RUNS}/{run.name}")
        _sync(self.folder)
        with suppress(OSError):  # the run is published: what is left over goes the next night
            self._tidy()

    def _take_in_plain_files(self, names: set[str]) -> None:
        """Make a run of the files that a version without ``runs`` left."""
        plain = sorted(n for n in names if _is_plain(self.folder / n))
        if not plain:
            return
        earlier = self.folder / _RUNS / _EARLIER
        earlier.mkdir(mode=0o700, exist_ok=True)
        if not (self.folder / CURRENT).is_symlink():
            self._link(CURRENT, f"{_RUNS}/{_EARLIER}")
        for name in plain:
            (self.folder / name).replace(earlier / name)
            self._link(name, f"{CURRENT}/{name}")

    def _link(self, name: str, target: str) -> None:
        """Make a link, or move it to another target in one step."""
        link, fresh = self.folder / name, self.folder / f".{name}.link"
        if link.is_symlink() and str(link.readlink()) == target:
            return
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.replace(link)

    def _tidy(self) -> None:
        """Remove links to what the run does not have, and runs beyond those that are kept."""
        for entry in self.folder.iterdir():
            if entry.is_symlink() and not entry.exists():
                entry.unlink(missing_ok=True)
        kept = (self.folder / CURRENT).resolve()
        others = sorted(run for run in (self.folder / _RUNS).iterdir() if run.resolve() != kept)
        for run in others[: max(0, len(others) - (self._keep - 1))]:
            shutil.rmtree(run, ignore_errors=True)

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(
            "E503",
            f"the folder '{self.folder}' cannot be written ({error.strerror}); give a folder you "
            "own, on a disk with room and a file system with symbolic links, with --out.",
        )

    def __exit__(self, *failure: object) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)
        if self._lock is not None:
            # The file stays: if it were removed, a waiting run could lock a deleted file.
            self._lock.close()


def digests_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a run but its record, by relative path."""
    return {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RUN_RECORD
    }


def _unused(runs: Path, name: str) -> Path:
    candidates = [name, *(f"{name}-{number}" for number in range(2, 1000))]
    return next(runs / each for each in candidates if not (runs / each).exists())


def _is_plain(path: Path) -> bool:
    return path.exists() and not path.is_symlink()


def _sync_tree(folder: Path) -> None:
    """Bring files and folders to the disk: a link must not outlive what it names."""
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
