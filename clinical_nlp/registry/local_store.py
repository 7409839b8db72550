"""A SQLite store in a folder: made by one process at a time, and moved with its folder.

MLflow makes the tables of a new database in several steps, and two processes that do so at once
fail. It keeps the paths of models and runs as absolute ones, and would look for a moved folder's
files where they were, or write there.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from clinical_nlp.errors import ModelError

#: Folder, beside the database, that holds its models and runs.
ARTIFACTS = "mlartifacts"
RUNS = "runs"

_PREFIX = "sqlite:///"
_LOCK = "store.lock"
_HEADER = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html
_COPY = "_alembic_tmp_"
#: Where MLflow keeps the paths of files.
_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)

_log = logging.getLogger(__name__)


def is_local(uri: str) -> bool:
    """Return whether a store is a SQLite database of this machine."""
    return uri.startswith("sqlite:")


def database(uri: str) -> Path:
    """Return the file of a SQLite store: ``sqlite:///mlflow.db`` is relative to the folder."""
    return Path(uri.removeprefix(_PREFIX).partition("?")[0]).resolve()


@contextmanager
def only_process(uri: str) -> Iterator[None]:
    """Wait until no other process makes or moves this store, and keep others waiting.

    A server's store, or a folder that may only be read, is not locked.
    """
    if not is_local(uri):
        yield
        return
    folder = database(uri).parent / ARTIFACTS
    lock: int | None = None
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def require_place(path: Path) -> None:
    """Check that a database can be opened, or made, before MLflow tries for minutes.

    Raises
    ------
    OSError
        It cannot.
    """
    if path.exists():
        with path.open("rb"):
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path.parent):
        pass


def prepare(path: Path) -> None:
    """Check a database before MLflow opens it, and correct what a move or a stop left in it.

    Raises
    ------
    ModelError
        E419: the file is empty, or not SQLite's.
    """
    if not path.is_file():
        return
    _require_database(path)
    with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        for table in tables:
            # alembic copies a table under this name and would not begin again over a copy.
            if table.startswith(_COPY) and table.removeprefix(_COPY) in tables:
                connection.execute(f'DROP TABLE "{table}"')
        if "experiments" in tables:
            _follow_move(connection, path.parent / ARTIFACTS)


def _require_database(path: Path) -> None:
    """Refuse a file that is no database; a new one would hide the models of the old."""
    with path.open("rb") as file:
        header = file.read(len(_HEADER))
    if header == _HEADER:
        return
    what = "is empty" if not header else "is not an SQLite database"
    raise ModelError(
        "E419",
        f"the MLflow store '{path.name}' {what}: a copy or a disk failed. Put it back from a "
        "backup; or delete it to begin with an empty registry, and register your models again",
    )


def _follow_move(connection: sqlite3.Connection, here: Path) -> None:
    """Let paths point beside the database, unless the files were left behind."""
    if not (here / RUNS).is_dir():
        return
    rows = connection.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
    ends = f"/{ARTIFACTS}/{RUNS}"
    located = [str(row[0]) for row in rows if str(row[0]).endswith(ends)]
    for there in [place.removesuffix(f"/{RUNS}") for place in located]:
        if there.removeprefix("file://") != str(here):
            _move(connection, there, here)


def _move(connection: sqlite3.Connection, there: str, here: Path) -> None:
    moved = 0
    for table, column in _COLUMNS:
        if _has(connection, table, column):
            # Names of tables and columns are the constants above.
            statement = (
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608
                f"WHERE substr({column}, 1, ?) = ?"
            )
            before = f"{there}/"
            values = (f"{here}/", len(before) + 1, len(before), before)
            moved += connection.execute(statement, values).rowcount
    _log.warning(
        "The MLflow store was moved or copied from '%s': %d paths in it now point to '%s'.",
        Path(there.removeprefix("file://")).parent,
        moved,
        here.parent,
    )


def _has(connection: sqlite3.Connection, table: str, column: str) -> bool:
    return any(row[1] == column for row in connection.execute(f"PRAGMA table_info({table})"))
