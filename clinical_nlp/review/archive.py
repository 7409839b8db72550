"""An append-only archive of estimates and of their reviews.

Each archived batch is a folder of read-only files, named by its day and a digest of its
content. Reviews are lines of one file. Each holds the hash of the line before it, so that a
change or removal of an earlier line is detected.
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

from clinical_nlp.artifacts import published
from clinical_nlp.errors import InputError, OutputError

AUDIT, RUN, REVIEWS = "audit.parquet", "run.json", "reviews.ndjson"

#: Hash before the first review.
_START = "0" * 64


@dataclass(frozen=True, slots=True)
class Review:
    """A clinician's decision on one estimate.

    Parameters
    ----------
    estimate_id
        Of ``audit.parquet``.
    by, decision, why
        Reviewer, decision (``agree``, ``disagree`` or a term of the service) and reason.
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


def archive_batch(out: Path, archive: Path) -> Path:
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
    name, out = out.name, published(out)
    try:
        digest = hashlib.sha256((out / AUDIT).read_bytes()).hexdigest()
        day = str(json.loads((out / RUN).read_text("utf-8"))["as_of"])
    except (OSError, ValueError, KeyError, TypeError):
        raise _absent(f"'{name}' holds no {AUDIT} and {RUN} of a batch") from None
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


def add_review(archive: Path, estimate_id: str, by: str, decision: str, why: str) -> Review:
    """Append the review of an estimate.

    Raises
    ------
    InputError
        E275: the archive holds no such estimate, or its reviews were changed.
    OutputError
        E515: the archive cannot be written.
    """
    audit_record(archive, estimate_id)
    try:
        with (archive / REVIEWS).open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two reviewers at once must not share a hash
            (archive / REVIEWS).chmod(0o600)
            file.seek(0)
            previous = _START
            for line in file:
                previous = _checked_hash(line, previous)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            added = Review(estimate_id, by, decision, why, now, previous)
            file.write(json.dumps(asdict(added), ensure_ascii=False, sort_keys=True) + "\n")
    except OSError as error:
        raise _unwritable(error) from None
    return added


def reviews(archive: Path) -> list[Review]:
    """Return all reviews, oldest first, after checking the chain of hashes.

    Raises
    ------
    InputError
        E275: a line was changed or removed.
    """
    if not (archive / REVIEWS).is_file():
        return []
    checked, previous = [], _START
    with (archive / REVIEWS).open(encoding="utf-8") as file:
        for line in file:
            previous = _checked_hash(line, previous)
            checked.append(Review(**json.loads(line)))
    return checked


def audit_record(archive: Path, estimate_id: str) -> Mapping[str, Any]:
    """Return the audit record of an estimate.

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


def _checked_hash(line: str, previous: str) -> str:
    """Return the hash of a line, after checking that it names the one before."""
    try:
        stated = json.loads(line)["previous"]
    except (ValueError, KeyError, TypeError):
        stated = None
    if stated != previous:
        raise _absent(f"a line of {REVIEWS} was changed or taken out")
    return hashlib.sha256(line.encode()).hexdigest()


def _absent(what: str) -> InputError:
    return InputError("E275", f"{what}: name the archive, and an estimate_id that it holds.")


def _unwritable(error: OSError) -> OutputError:
    return OutputError(
        "E515",
        f"the archive cannot be written ({error.strerror}); give a folder that you may write to.",
    )
