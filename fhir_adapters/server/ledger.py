"""The ledger of one server: what we wrote there, under which id and version, and when."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from clinical_nlp.errors import OutputError
from fhir_adapters.server.content import About

_FORMAT: Final = "1"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS resource (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, patient TEXT NOT NULL, note TEXT NOT NULL,
    note_digest TEXT NOT NULL, agent TEXT NOT NULL, material TEXT NOT NULL, sent TEXT NOT NULL,
    server_id TEXT NOT NULL, version TEXT NOT NULL, state TEXT NOT NULL, night INTEGER NOT NULL,
    rank INTEGER NOT NULL, due TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS due ON resource (patient, due) WHERE due != '';
CREATE TABLE IF NOT EXISTS device (key TEXT PRIMARY KEY, model TEXT, reader TEXT) STRICT;
CREATE TABLE IF NOT EXISTS feedback (
    key TEXT, night INTEGER, version TEXT, what TEXT, PRIMARY KEY (key, night)
) STRICT;
CREATE TEMP TABLE tonight (key TEXT PRIMARY KEY) STRICT;
CREATE TEMP TABLE tonight_note (note TEXT, digest TEXT, PRIMARY KEY (note, digest)) STRICT;
CREATE TEMP TABLE tonight_patient (patient TEXT PRIMARY KEY) STRICT;
CREATE TEMP TABLE tonight_rank (patient TEXT PRIMARY KEY, rank INTEGER) STRICT;
"""


class State(StrEnum):
    """What the ledger knows of a resource on the server."""

    SENDING = "sending"  # sent, or about to be: the answer is not known
    LIVE = "live"  # as we wrote it last
    RETRACTED = "retracted"
    TOUCHED = "touched"  # someone else changed or deleted it: theirs
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """A resource as the ledger knows it.

    Parameters
    ----------
    sent
        Hashes of what was sent since the last known version, newest last.
    server_id, version
        As we wrote it last; empty until the server has taken the resource.
    rank
        How pressing the patient's estimate was when it was last written.
    """

    key: str
    patient: str
    note: str
    note_digest: str
    agent: str
    material: str
    sent: str
    server_id: str
    version: str
    state: State
    rank: int

    @property
    def kind(self) -> str:
        """Resource type."""
        return self.key.partition("/")[0]

    @property
    def was_sent(self) -> frozenset[str]:
        """Hashes of what the server may hold of ours without our knowing its version."""
        is_known = self.version and self.state is not State.SENDING
        return frozenset() if is_known else frozenset(self.sent.split())


#: What is on the server as ours, or may be: also what refused its last update.
_ON_SERVER: Final = "(state IN ('live', 'sending') OR state = 'refused' AND server_id != '')"

_COLUMNS = "key, patient, note, note_digest, agent, material, sent, server_id, version, state, rank"


class Ledger:
    """A SQLite file with mode 0600; each change is durable before the next request.

    Parameters
    ----------
    path
        The file; made where absent.
    server
        URL of the server that it is of.

    Raises
    ------
    OutputError
        E544: the file is no ledger, or that of another server; E548: another command uses it.
    """

    def __init__(self, path: Path, server: str) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise _unusable(path, error.strerror or type(error).__name__) from None
        self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            self._db.executescript(
                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "PRAGMA temp_store=FILE; BEGIN IMMEDIATE; COMMIT;"
            )
            self._db.executescript(_SCHEMA)
            self._claim("format", _FORMAT, path)
            self._claim("server", server, path)
            (last,) = self._db.execute("SELECT coalesce(max(night), 0) FROM resource").fetchone()
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" in str(error):
                raise OutputError(
                    "E548",
                    "another command uses this ledger; wait until it has ended, then run again.",
                ) from None
            raise _unusable(path, "it cannot be opened") from None
        except sqlite3.DatabaseError:
            self._db.close()
            raise _unusable(path, "it is no SQLite database") from None
        self.night = int(last) + 1

    def _claim(self, name: str, value: str, path: Path) -> None:
        self._db.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, value))
        (kept,) = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        if kept != value:
            self._db.close()
            raise _unusable(path, f"it is of another {name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._db.close()

    # -- tonight -------------------------------------------------------------------------

    def record_tonight(self, keys: Iterable[str]) -> None:
        """Note what tonight says."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR IGNORE INTO tonight VALUES (?)", ((k,) for k in keys))
        self._db.execute("COMMIT")

    def record_sources(self, patient: str, notes: Iterable[tuple[str, str]]) -> None:
        """Note which notes of a patient tonight was made from, with their digests."""
        self._db.execute("INSERT OR IGNORE INTO tonight_patient VALUES (?)", (patient,))
        self._db.executemany("INSERT OR IGNORE INTO tonight_note VALUES (?, ?)", notes)

    def record_rank(self, patient: str, rank: int) -> None:
        """Note how pressing a patient's estimate is tonight."""
        self._db.execute("INSERT OR REPLACE INTO tonight_rank VALUES (?, ?)", (patient, rank))

    def rank_of(self, patient: str) -> int:
        """Return what :meth:`record_rank` noted."""
        found = self._db.execute(
            "SELECT rank FROM tonight_rank WHERE patient = ?", (patient,)
        ).fetchone()
        return int(found[0]) if found else 0

    def gone(self) -> Iterator[tuple[Row, str]]:
        """Yield what is on the server, or may be, and not said tonight; with the reason."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS}, CASE "  # noqa: S608 - constants
            " WHEN patient NOT IN (SELECT patient FROM tonight_patient) THEN 'patient-gone'"
            " WHEN kind = 'Task' THEN 'not-listed'"
            " WHEN note NOT IN (SELECT note FROM tonight_note) THEN 'note-withdrawn'"
            " WHEN (note, note_digest) NOT IN (SELECT note, digest FROM tonight_note)"
            " THEN 'note-amended' ELSE 'read-otherwise' END"
            " FROM resource WHERE patient != '' AND kind != 'Provenance'"
            f" AND {_ON_SERVER} AND key NOT IN (SELECT key FROM tonight)"
        ).fetchall()
        for *row, reason in rows:
            yield _row(row), reason

    # -- resources -----------------------------------------------------------------------

    def get(self, key: str) -> Row | None:
        """Return a resource's row."""
        found = self._db.execute(
            f"SELECT {_COLUMNS} FROM resource WHERE key = ?",  # noqa: S608
            (key,),
        ).fetchone()
        return None if found is None else _row(found)

    def resolve(self, reference: str) -> str | None:
        """Return the server's reference for one of ours; ``None`` where it was not taken."""
        found = self._db.execute(
            "SELECT kind, server_id FROM resource WHERE key = ?", (reference,)
        ).fetchone()
        if found is None:
            return reference
        return f"{found[0]}/{found[1]}" if found[1] else None

    def begin(self, intents: Iterable[tuple[About, str]]) -> None:
        """Note, in one transaction, what is about to be sent, with its hash."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, '', ?, '', '', 'sending', ?, 0, '')"
            " ON CONFLICT (key) DO UPDATE SET state = 'sending', night = excluded.night, sent ="
            " CASE state WHEN 'sending' THEN sent || ' ' || excluded.sent ELSE excluded.sent END",
            (
                (a.key, a.kind, a.patient, a.note, a.note_digest, a.agent, digest, self.night)
                for a, digest in intents
            ),
        )
        self._db.execute("COMMIT")

    def wrote(self, said: About, server_id: str, version: str, due: str) -> None:
        """Note that the server holds a resource as we sent it."""
        self._db.execute(
            "UPDATE resource SET patient = ?, note = ?, note_digest = ?, agent = ?, material = ?,"
            " server_id = ?, version = ?, state = 'live', rank = ?, due = ? WHERE key = ?",
            (
                *(said.patient, said.note, said.note_digest, said.agent, said.material),
                *(server_id, version, self.rank_of(said.patient), due, said.key),
            ),
        )

    def set_state(self, key: str, state: State, version: str = "", due: str = "") -> None:
        """Note a resource's state, and its version where it has a new one."""
        self._db.execute(
            "UPDATE resource SET state = ?, night = ?, due = ?,"
            " version = CASE ? WHEN '' THEN version ELSE ? END WHERE key = ?",
            (state.value, self.night, due, version, version, key),
        )

    def record_feedback(self, key: str, version: str, what: str) -> None:
        """Note that someone else touched a resource of ours."""
        self._db.execute(
            "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?)", (key, self.night, version, what)
        )

    def touched(self) -> list[tuple[str, str]]:
        """Return what someone else touched, as this night found it: key and what was done."""
        return self._db.execute(
            "SELECT key, what FROM feedback WHERE night = ? ORDER BY key", (self.night,)
        ).fetchall()

    # -- provenance ----------------------------------------------------------------------

    def due(self, keys: Iterable[str]) -> list[str]:
        """Return those of the keys whose writing has no Provenance yet."""
        return [
            key
            for key in keys
            if self._db.execute(
                "SELECT 1 FROM resource WHERE key = ? AND due = 'said'", (key,)
            ).fetchone()
        ]

    def due_retractions(self) -> list[tuple[str, str, str, list[str]]]:
        """Return (patient, reason, agent, keys) of retractions without a Provenance yet."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for key, *group in self._db.execute(
            "SELECT key, patient, due, agent FROM resource WHERE due NOT IN ('', 'said')"
            " ORDER BY patient, due, agent, key"
        ):
            groups.setdefault((group[0], group[1], group[2]), []).append(key)
        return [(*group, keys) for group, keys in groups.items()]

    def clear_due(self, keys: Iterable[str]) -> None:
        """Note that the resources' writing has its Provenance."""
        self._db.execute("BEGIN")
        self._db.executemany("UPDATE resource SET due = '' WHERE key = ?", ((k,) for k in keys))
        self._db.execute("COMMIT")

    # -- what wrote it -------------------------------------------------------------------

    def record_device(self, key: str, model: str | None, reader: str | None) -> None:
        """Note a Device: ``NAME/VERSION`` of a model, or the digest of a reader."""
        self._db.execute("INSERT OR REPLACE INTO device VALUES (?, ?, ?)", (key, model, reader))

    def written_by(self, model: str | None, reader: str | None) -> list[Row]:
        """Return what one version wrote last and is live, or may be."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM resource WHERE {_ON_SERVER}"  # noqa: S608
            " AND patient != '' AND kind != 'Provenance'"
            " AND agent IN (SELECT key FROM device WHERE model = ? OR reader = ?)",
            (model, reader),
        )
        return [_row(row) for row in rows]

    def count_live(self) -> int:
        """Return how many resources about patients are on the server as ours."""
        (count,) = self._db.execute(
            f"SELECT count(*) FROM resource WHERE {_ON_SERVER} AND patient != ''"  # noqa: S608
            " AND kind != 'Provenance'"
        ).fetchone()
        return int(count)


def _row(values: Iterable[object]) -> Row:
    texts = [str(value) for value in values]
    *first, state, rank = texts
    return Row(*first, State(state), int(rank))  # type: ignore[arg-type,call-arg]  # by _COLUMNS


def _unusable(path: Path, why: str) -> OutputError:
    return OutputError(
        "E544",
        f"'{path.name}' cannot be the ledger of this server ({why}); give --ledger the file that "
        "was used with this server, or a new one for a server that holds nothing of ours yet.",
    )
