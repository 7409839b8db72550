"""JSON lines in and out: plain, gzipped, or the standard streams."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from clinical_nlp.errors import InputError, OutputError

#: Half of a surrogate pair may stand in a JSON string; "backslashreplace" writes it as the
#: JSON escape that it came as.
_ERRORS = {"r": "strict", "w": "backslashreplace"}


@contextmanager
def open_lines(path: str, mode: str) -> Iterator[TextIO]:
    """Open a path for reading (``"r"``) or writing (``"w"``); ``-`` is the standard stream.

    Raises
    ------
    clinical_nlp.errors.InputError
        E261 the file cannot be read.
    clinical_nlp.errors.OutputError
        E504 the file cannot be written.
    """
    if path == "-":
        stream = sys.stdin if mode == "r" else sys.stdout
        if isinstance(stream, io.TextIOWrapper):
            # The locale of a nightly job is often C: JSON is UTF-8 all the same.
            stream.reconfigure(encoding="utf-8", errors=_ERRORS[mode])
        yield stream
        stream.flush() if mode == "w" else None
        return
    try:
        opener: Any = gzip.open if path.endswith(".gz") else open
        lines: TextIO = opener(path, mode + "t", encoding="utf-8", errors=_ERRORS[mode])
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if mode == "r":
            raise InputError(
                "E261", f"'{path}' cannot be read ({reason}); check the path and its permissions."
            ) from None
        raise OutputError(
            "E504", f"'{path}' cannot be written ({reason}); check the folder and its permissions."
        ) from None
    with lines:
        yield lines


def read_rows(path: str) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield (line number, row); the row is ``None`` if the line is not a JSON object.

    Raises
    ------
    clinical_nlp.errors.InputError
        E261 the file cannot be read, or breaks off (truncated gzip, not UTF-8).
    """
    with open_lines(path, "r") as lines:
        number = 0
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _row(line)
        except (EOFError, OSError, UnicodeDecodeError) as error:
            raise InputError(
                "E261",
                f"'{path}' breaks off after line {number} ({type(error).__name__}); "
                "make the file again and check that it is whole UTF-8.",
            ) from None


def _row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def write_row(lines: TextIO, row: dict[str, Any]) -> None:
    """Write one row."""
    lines.write(json.dumps(row, ensure_ascii=False) + "\n")
