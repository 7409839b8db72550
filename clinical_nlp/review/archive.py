"""The archive of estimates and of who reviewed them: added to, never changed.

Each batch kept is a folder of read-only files, named by its day and what it holds; reviews
are lines of one file, each with the hash of the line before it, so that a line changed or
taken out in the middle is noticed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clinical_nlp.errors import InputError, OutputError

AUDIT, RUN, REVIEWS = "audit.parquet", "run.json", "reviews.ndjson"

#: What the first review follows.
_START = "0" * 64


@dataclass(frozen=True, slots=True)
class Review:
    """What a clinician decided on one estimate.

    Parameters
    ----------
    estimate_id
        Of ``audit.parquet``.
    by, decision, why
        Who, what (``agree``, ``disagree`` or the service's own word), and the reason.
    when
        ISO 8601, UTC.
    previous
        Hex SHA-256 of the line before.
    """

    estimate_id: str
    by: str
    decision: str
    why: str
    when: str
    previous: str


def keep(out: Path, archive: Path) -> Path:
    """Copy a batch's ``audit.parquet`` and ``run.json`` into an archive.

    Returns
    -------
    Path
        Folder in the archive; the same batch kept twice has the same one.

    Raises
    ------
    InputError
        E275: the folder holds no batch.
    OutputError
        E515: the archive cannot be written.
    """
    try:
        digest = hashlib.sha256((out / AUDIT).read_bytes()).hexdigest()
        day = str(json.loads((out / RUN).read_text("utf-8"))["as_of"])
    except (OSError, ValueError, KeyError, TypeError):
        raise _absent(f"'{out.name}' holds no {AUDIT} and {RUN} of a batch") from None
    folder = archive / f"{day}-{digest[:16]}"
    if folder.is_dir():
        return folder
    partial = archive / f".{folder.name}.partial"
    try:
        archive.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        for name in (AUDIT, RUN):
            shutil.copyfile(out / name, partial / name)
            (partial / name).chmod(0o400)
        partial.rename(folder)
    except OSError as error:
        raise _unwritable(error) from None
    return folder


def review(archive: Path, estimate_id: str, by: str, decision: str, why: str) -> Review:
    """Add who reviewed an estimate, and what they decided.

    Raises
    ------
    InputError
        E275: the archive holds no such estimate, or its reviews were changed.
    OutputError
        E515: the archive cannot be written.
    """
    estimate(archive, estimate_id)
    try:
        with (archive / REVIEWS).open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two reviewers at once must not share a hash
            (archive / REVIEWS).chmod(0o600)
            file.seek(0)
            previous = _START
            for line in file:
                previous = _link(line, previous)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            done = Review(estimate_id, by, decision, why, now, previous)
            file.write(json.dumps(asdict(done), ensure_ascii=False, sort_keys=True) + "\n")
    except OSError as error:
        raise _unwritable(error) from None
    return done


def reviews(archive: Path) -> list[Review]:
    """Every review, oldest first, after checking that each follows the one before.

    Raises
    ------
    InputError
        E275: a line was changed or taken out.
    """
    if not (archive / REVIEWS).is_file():
        return []
    found, previous = [], _START
    with (archive / REVIEWS).open(encoding="utf-8") as file:
        for line in file:
            previous = _link(line, previous)
            found.append(Review(**json.loads(line)))
    return found


def estimate(archive: Path, estimate_id: str) -> Mapping[str, Any]:
    """The record of an estimate, as the batch wrote it.

    Raises
    ------
    InputError
        E275: the archive does not hold it.
    """
    for path in sorted(archive.glob(f"*/{AUDIT}")):
        rows = pq.read_table(path, filters=[("estimate_id", "=", estimate_id)])
        if rows.num_rows:
            record: Mapping[str, Any] = rows.to_pylist()[0]
            return record
    raise _absent(f"the archive '{archive.name}' holds no estimate of that id")


def _link(line: str, previous: str) -> str:
    """Hash of a line that follows another."""
    try:
        told = json.loads(line)["previous"]
    except (ValueError, KeyError, TypeError):
        told = None
    if told != previous:
        raise _absent(f"a line of {REVIEWS} was changed or taken out")
    return hashlib.sha256(line.encode()).hexdigest()


def _absent(what: str) -> InputError:
    return InputError("E275", f"{what}: name the archive, and an estimate_id that it holds.")


def _unwritable(error: OSError) -> OutputError:
    return OutputError(
        "E515",
        f"the archive cannot be written ({error.strerror}); give a folder that you may write to.",
    )
