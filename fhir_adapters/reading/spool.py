"""The spool: a private temporary database of the reduced export, until references resolve.

It holds patient text. So only its owner can read the file, and its name is removed from the
folder as soon as SQLite has it open: nothing is left behind, however the process ends (where
the system refuses that, on Windows, it is removed on closing).

SQLite may sort in files of its own in the system's temporary folder. It unlinks them at once
too, and only references are sorted: every read of texts goes through an index.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

from clinical_nlp.errors import ClinicalNlpError, describe
from clinical_nlp.records import Problem
from fhir_adapters.reading.attachments import Part
from fhir_adapters.reading.bundles import Deletion
from fhir_adapters.reading.defects import Defect, Unusable
from fhir_adapters.reading.parsing import SURROGATE
from fhir_adapters.reading.text.reading import Format

_SCHEMA = """
CREATE TABLE resource (
    n INTEGER PRIMARY KEY,           -- order of reading
    file INTEGER NOT NULL, line INTEGER NOT NULL,
    type TEXT NOT NULL, id TEXT NOT NULL,
    updated TEXT NOT NULL,           -- meta.lastUpdated in UTC, '' where absent
    subsetted INTEGER NOT NULL,      -- whether it is only a part of the resource
    status INTEGER NOT NULL,
    patient TEXT,                    -- id of the Patient it is about
    medication TEXT,                 -- id of the Medication that has its codes
    latest TEXT,                     -- day it begins (the latest, of several), up to today
    notes INTEGER NOT NULL DEFAULT 0,
    payload TEXT                     -- what is kept of it, as JSON; of a document, its head
);
CREATE TABLE part (
    resource INTEGER NOT NULL, number INTEGER NOT NULL,
    format INTEGER, language TEXT, binary TEXT, media TEXT, defect TEXT, details TEXT,
    text TEXT                        -- last, so that the rest is read without it
);
CREATE INDEX part_resource ON part (resource, number);
CREATE TABLE binary (
    resource INTEGER PRIMARY KEY, media TEXT, data BLOB, defect TEXT, details TEXT
);
CREATE TABLE replaces (resource INTEGER NOT NULL, target TEXT NOT NULL);
CREATE TABLE link (resource INTEGER NOT NULL, type TEXT NOT NULL, other TEXT NOT NULL);
CREATE TABLE deletion (type TEXT NOT NULL, id TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE problem (
    file INTEGER NOT NULL, line INTEGER NOT NULL,
    code TEXT NOT NULL, reason TEXT NOT NULL, resource TEXT
);
"""
_BATCH = 2000
#: Errors of SQLite that a value causes, and not the disk.
_OF_A_VALUE = (sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
_PREFIX = ".clinical-nlp-spool-"


class ResourceStatus(IntEnum):
    """What is done with a resource of a type that is used."""

    USED = 0
    LEFT_OUT = 1
    DUPLICATE = 2
    QUARANTINED = 3


@dataclass(slots=True)
class Row:
    """One resource to spool; the columns of table ``resource``."""

    file: int
    line: int
    type: str
    id: str
    updated: str = ""
    subsetted: bool = False
    status: ResourceStatus = ResourceStatus.USED
    patient: str | None = None
    medication: str | None = None
    latest: str | None = None
    notes: int = 0
    payload: str | None = None


class Spool:
    """The database, with buffered writing.

    Parameters
    ----------
    folder
        Where its file is made; the system's temporary folder where ``None``.

    Raises
    ------
    clinical_nlp.errors.InputError
        E222: the folder cannot be written to.
    """

    def __init__(self, folder: Path | None) -> None:
        try:
            handle, name = tempfile.mkstemp(".sqlite", _PREFIX, folder)  # 0600, owner only
        except OSError as error:
            Defect.NO_SPOOL.stop(path=folder or tempfile.gettempdir(), cause=error.strerror)
        os.close(handle)
        self.folder = Path(name).parent
        self._path: Path | None = Path(name)
        self.db = sqlite3.connect(name, isolation_level=None)
        # Discarded with the process: neither a journal nor syncing is needed.
        self.db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
            "PRAGMA cache_size=-65536; BEGIN;" + _SCHEMA
        )
        with contextlib.suppress(PermissionError):
            self._path.unlink()
            self._path = None
        self._rows: list[tuple[Any, ...]] = []
        #: Number of the resource added last.
        self.count = 0
        self._yielded = 0  # the last row of ``problem`` that was yielded

    def close(self) -> None:
        """Close the database and remove its file."""
        self.db.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None

    def add(self, row: Row) -> int:
        """Add a resource; return its number ``n``."""
        self.count += 1
        self._rows.append(
            (
                *(self.count, row.file, row.line, row.type, row.id, row.updated),
                *(row.subsetted, int(row.status)),
                *(row.patient, row.medication, row.latest, row.notes, row.payload),
            )
        )
        if len(self._rows) >= _BATCH:
            self.flush()
        return self.count

    def flush(self) -> None:
        """Write the buffered resources."""
        self.db.executemany("INSERT INTO resource VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", self._rows)
        self._rows.clear()

    def reject_after(self, last: int) -> None:
        """Take back every resource added after number ``last``, with all that hangs on it."""
        if self.count == last:
            return
        self.flush()
        self.db.execute("DELETE FROM resource WHERE n > ?", (last,))
        for table in ("part", "binary", "replaces", "link"):
            self.db.execute(f"DELETE FROM {table} WHERE resource > ?", (last,))  # noqa: S608

    def add_parts(self, resource: int, parts: list[Part]) -> None:
        """Store a document's parts in place of any that it had.

        SQLite stores UTF-8, which has no lone surrogates: in a text they become U+FFFD, one
        for one, so that offsets stay true.
        """
        parts = [_storable(part) for part in parts]
        self.db.execute("DELETE FROM part WHERE resource = ?", (resource,))
        self.db.executemany(
            "INSERT INTO part VALUES (?,?,?,?,?,?,?,?,?)",
            [
                (
                    *(resource, number, part.format, part.language, part.binary, part.media),
                    *(part.defect and part.defect.name, json.dumps(part.details), part.text),
                )
                for number, part in enumerate(parts)
            ],
        )

    def parts(self, resource: int) -> list[Part]:
        """Return a document's parts, in order."""
        rows = self.db.execute(
            "SELECT text, format, language, binary, media, defect, details FROM part"
            " WHERE resource = ? ORDER BY number",
            (resource,),
        )
        return [
            Part(
                text=text,
                format=None if kind is None else Format(kind),
                language=language,
                binary=binary,
                media=media,
                defect=defect and Defect[defect],
                details=json.loads(details),
            )
            for text, kind, language, binary, media, defect, details in rows
        ]

    def add_binary(self, resource: int, media: str | None, data: bytes | Unusable) -> None:
        """Store a Binary's bytes, or why they cannot be read."""
        row: tuple[bytes, str | None, str]
        if isinstance(data, Unusable):
            row = (b"", data.defect.name, json.dumps(data.details))
        else:
            row = (data, None, "{}")
        self.db.execute("INSERT INTO binary VALUES (?,?,?,?,?)", (resource, media, *row))

    def add_replaced(self, resource: int, targets: Iterable[str]) -> None:
        """Record which documents, by id, a document replaces."""
        self.db.executemany(
            "INSERT INTO replaces VALUES (?,?)", [(resource, target) for target in targets]
        )

    def add_links(self, resource: int, links: Iterable[tuple[str, str]]) -> None:
        """Record the links of a Patient: type and id of the other."""
        self.db.executemany(
            "INSERT INTO link VALUES (?,?,?)", [(resource, *link) for link in links]
        )

    def add_deletion(self, deletion: Deletion) -> None:
        """Record that a resource was deleted."""
        self.db.execute(
            "INSERT INTO deletion VALUES (?,?,?)", (deletion.type, deletion.id, deletion.at)
        )

    def add_problem(
        self, file: int, line: int, resource: str | None, defect: Defect, **details: object
    ) -> None:
        """Add a row to the quarantine; ``line`` is 0 for a whole file."""
        made = defect.problem(file=None, line=line, resource=resource, **details)
        self.db.execute(
            "INSERT INTO problem VALUES (?,?,?,?,?)",
            (file, line, made.code, made.reason, resource),
        )

    def problems(self, names: list[str]) -> Iterator[Problem]:
        """Yield what was added since the last call, in order of (file, line).

        Parameters
        ----------
        names
            The files' names.
        """
        seen, self._yielded = self._yielded, self._last_problem()
        rows = self.db.execute(
            "SELECT file, line, code, reason, resource FROM problem WHERE rowid > ?"
            " ORDER BY file, line, rowid",
            (seen,),
        )
        for file, line, code, reason, resource in rows:
            yield Problem(code, reason, names[file], line or None, resource)

    def _last_problem(self) -> int:
        last: int = self.db.execute("SELECT coalesce(max(rowid), 0) FROM problem").fetchone()[0]
        return last


def fault_of_data(error: Exception) -> Unusable:
    """Return an unforeseen error as a defect of the resource at which it happened.

    Raises
    ------
    Exception
        The error itself, where not the resource but the disk or the run is at fault.
    """
    of_database = isinstance(error, sqlite3.Error) and not isinstance(error, _OF_A_VALUE)
    if of_database or isinstance(error, ClinicalNlpError):
        raise error
    return Unusable(Defect.UNFORESEEN, error=describe(error))


def _storable(part: Part) -> Part:
    try:
        (part.text or "").encode()
    except UnicodeEncodeError:
        return replace(part, text=SURROGATE.sub("\ufffd", part.text or ""))
    return part
