"""The files of an export and their lines, read as a stream in bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from fhir_adapters.reading.defects import Defect

_SUFFIXES = (".ndjson", ".ndjson.gz")
_GZIP_MAGIC = b"\x1f\x8b"
_BUFFER = 1 << 20
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Line:
    """One non-empty line of a file.

    Parameters
    ----------
    number
        1-based, blank lines counted.
    content
        The bytes without surrounding blanks; ``None`` where there is a ``defect``.
    digest
        SHA-256 of the content; ``None`` where it could not be read to its end.
    defect
        ``BROKEN_FILE`` (nothing follows) or ``LINE_TOO_LONG``.
    """

    number: int
    content: bytes | None
    digest: bytes | None
    defect: Defect | None = None


def export_files(export: Path) -> list[Path]:
    """List the NDJSON files of an export, by name.

    Parameters
    ----------
    export
        A folder (its subfolders and hidden files are not read), or a single file.

    Raises
    ------
    clinical_nlp.errors.InputError
        E200 where it does not exist, E201 where it holds no NDJSON, E202 where the system
        refuses to list it.
    """
    try:
        if export.is_file():
            files = [export]
        elif export.is_dir():
            files = sorted(
                (path for path in export.iterdir() if _is_ndjson(path)), key=lambda p: p.name
            )
        else:
            Defect.NO_FOLDER.stop(path=export)
    except OSError as error:
        Defect.UNREADABLE.stop(path=export, cause=error.strerror)
    if not files:
        Defect.NO_FILES.stop(path=export)
    return files


def _is_ndjson(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(_SUFFIXES) and not name.startswith(".") and path.is_file()


def read_lines(path: Path, limit: int, progress: Callable[[int], None]) -> Iterator[Line]:
    """Yield a file's non-empty lines, uncompressed where its first bytes say gzip.

    Parameters
    ----------
    limit
        Most bytes of a line; longer ones are skipped unparsed.
    progress
        Called with the bytes read from disk since its last call.

    Raises
    ------
    clinical_nlp.errors.InputError
        E202 where the system cannot open or read the file.
    """
    try:
        with path.open("rb", buffering=0) as raw:
            compressed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            counted = cast(BinaryIO, io.BufferedReader(_Counted(raw, progress), _BUFFER))
            yield from (_gzip_lines if compressed else _split)(counted, limit)
    except OSError as error:
        Defect.UNREADABLE.stop(path=path.name, cause=error.strerror)


def _gzip_lines(stream: BinaryIO, limit: int) -> Iterator[Line]:
    """Lines of a gzip stream; the last is a ``BROKEN_FILE`` where it is damaged."""
    number = 0
    with gzip.GzipFile(fileobj=stream) as unpacked:
        # Unbuffered: a buffer would lose what was unpacked before the damage.
        try:
            for line in _split(unpacked, limit):
                number = line.number
                yield line
        except (EOFError, zlib.error, gzip.BadGzipFile):
            yield Line(number + 1, None, None, Defect.BROKEN_FILE)


def _split(stream: BinaryIO | gzip.GzipFile, limit: int) -> Iterator[Line]:
    number = 0
    while chunk := stream.readline(limit):
        number += 1
        if number == 1:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        if len(chunk) == limit and not chunk.endswith(b"\n"):
            digest = _skip_line(stream, chunk, limit)
            yield Line(number, None, digest, Defect.LINE_TOO_LONG)
        elif content := chunk.strip(_BLANK):
            yield Line(number, content, hashlib.sha256(content).digest())


def _skip_line(stream: BinaryIO | gzip.GzipFile, start: bytes, limit: int) -> bytes:
    """Read on to the line's end without keeping it; return the SHA-256 of all of it."""
    digest = hashlib.sha256(start)
    while chunk := stream.readline(limit):
        digest.update(chunk.rstrip(b"\r\n"))
        if chunk.endswith(b"\n"):
            break
    return digest.digest()


class _Counted(io.RawIOBase):
    """A raw stream that reports how many bytes were read through it."""

    def __init__(self, raw: io.FileIO, progress: Callable[[int], None]) -> None:
        self._raw = raw
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = self._raw.readinto(buffer) or 0
        if count:
            self._progress(count)
        return count
