"""The cache of a nightly batch: findings by note, rendered results by patient.

A SQLite file, private to its owner: findings quote words of notes. It is only a cache: without it
a night takes as long as the first one, and says the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from clinical_nlp.errors import OutputError

_FORMAT: Final = "1"
_FILE: Final = "cache.sqlite"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS note (
    digest TEXT NOT NULL, reading TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (digest, reading)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS patient (
    id TEXT PRIMARY KEY, input TEXT NOT NULL, notes TEXT NOT NULL, data BLOB NOT NULL
) STRICT;
CREATE TEMP TABLE tonight (id TEXT PRIMARY KEY) STRICT;
CREATE TEMP TABLE tonight_note (digest TEXT PRIMARY KEY) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Rendered results of a patient, with the digest of what they were made from."""

    input: str
    parts: tuple[bytes, ...]


class Cache:
    """Findings of notes and rendered results of patients, by what they were made from.

    Parameters
    ----------
    folder
        Made with mode 0700 where absent.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E551: the folder cannot be used; E552: another run uses it; E553: the file is no cache.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / _FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise OutputError(
                "E551",
                f"the state cannot be kept there ({error.strerror}); give --state a folder of "
                "your own, on a disk with room.",
            ) from None
        self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            # A lost commit costs reading again, so the disk need not be waited for each time.
            self._db.executescript(
                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                "PRAGMA synchronous=NORMAL; PRAGMA temp_store=FILE; BEGIN IMMEDIATE; COMMIT;"
            )
            self._db.executescript(_SCHEMA)
            self._db.execute("INSERT OR IGNORE INTO about VALUES ('format', ?)", (_FORMAT,))
            (found,) = self._db.execute("SELECT value FROM about WHERE name = 'format'").fetchone()
        except sqlite3.DatabaseError as error:
            self._db.close()
            if "locked" in str(error):
                raise OutputError(
                    "E552",
                    "another run uses this state; wait until it has ended, or give --state "
                    "another folder.",
                ) from None
            found = ""
        if found != _FORMAT:
            self._db.close()
            raise OutputError(
                "E553",
                f"'{_FILE}' in the folder of --state cannot be read by this version; delete "
                "that file: it is a cache, and the next night fills it again.",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._db.close()

    # -- notes ---------------------------------------------------------------------------

    def findings(self, digests: Sequence[str], reading: str) -> dict[str, str]:
        """Return the JSON of the findings of those notes that are kept, by digest.

        Parameters
        ----------
        digests
            SHA-256 of the notes' texts.
        reading
            What reads: pipeline, learned reader, code.
        """
        found = {}
        for digest in digests:
            row = self._db.execute(
                "SELECT data FROM note WHERE digest = ? AND reading = ?", (digest, reading)
            ).fetchone()
            if row is not None:
                found[digest] = zlib.decompress(row[0]).decode()
        return found

    def keep_findings(self, findings: Mapping[str, str], reading: str) -> None:
        """Keep the JSON of findings by the digest of their note."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR REPLACE INTO note VALUES (?, ?, ?)",
            (
                (digest, reading, zlib.compress(text.encode("utf-8", "surrogatepass"), 1))
                for digest, text in findings.items()
            ),
        )
        self._db.execute("COMMIT")

    # -- patients ------------------------------------------------------------------------

    def rendered(self, patient: str, given: str) -> tuple[bytes, ...] | None:
        """Return the parts kept for a patient, where they were made from the same input."""
        row = self._db.execute(
            "SELECT data FROM patient WHERE id = ? AND input = ?", (patient, given)
        ).fetchone()
        self._db.execute("INSERT OR IGNORE INTO tonight VALUES (?)", (patient,))
        return None if row is None else _unpack(row[0])

    def keep_rendered(
        self, rows: Iterable[tuple[str, str, Sequence[str], Sequence[bytes]]]
    ) -> None:
        """Keep (patient, input, digests of the notes, parts), in one transaction."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR REPLACE INTO patient VALUES (?, ?, ?, ?)",
            (
                (patient, given, json.dumps(list(notes)), _pack(parts))
                for patient, given, notes, parts in rows
            ),
        )
        self._db.execute("COMMIT")

    def forget_others(self) -> None:
        """Remove what tonight did not use: patients and notes that are gone, other readings."""
        self._db.execute("BEGIN")
        self._db.execute("DELETE FROM patient WHERE id NOT IN (SELECT id FROM tonight)")
        self._db.execute(
            "INSERT OR IGNORE INTO tonight_note"
            " SELECT j.value FROM patient, json_each(patient.notes) AS j"
        )
        self._db.execute("DELETE FROM note WHERE digest NOT IN (SELECT digest FROM tonight_note)")
        self._db.execute("COMMIT")

    def forget_readings_but(self, reading: str) -> None:
        """Remove findings of other pipelines, readers or code."""
        self._db.execute("DELETE FROM note WHERE reading != ?", (reading,))


def input_key(*parts: str) -> str:
    """Hex SHA-256 over texts, each of which matters."""
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _pack(parts: Sequence[bytes]) -> bytes:
    head = json.dumps([len(part) for part in parts]).encode() + b"\n"
    return zlib.compress(head + b"".join(parts), 1)


def _unpack(data: bytes) -> tuple[bytes, ...]:
    whole = zlib.decompress(data)
    end = whole.index(b"\n")
    parts, place = [], end + 1
    for length in json.loads(whole[:end]):
        parts.append(whole[place : place + length])
        place += length
    return tuple(parts)
