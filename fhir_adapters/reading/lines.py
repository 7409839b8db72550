"""The lines of a file, unpacked, as a stream in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, Protocol, cast

from fhir_adapters.reading.defects import Defect
from fhir_adapters.reading.files import ExportFile

_BUFFER = 1 << 20
_BLANK = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: A document (a Bundle, a list) may be this many times as long as a line.
_DOCUMENT_LINES = 4
# First bytes of compressed files
_GZIP, _ZSTD, _BZIP2, _XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\x00"
# What unpacking raises where a file breaks off or is damaged
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class Line:
    """One non-empty line of a file, or all of it where it is one JSON document.

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


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...

    def readline(self, size: int = -1, /) -> bytes: ...


def read_lines(file: ExportFile, limit: int, progress: Callable[[int], None]) -> Iterator[Line]:
    """Yield a file's non-empty lines.

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
    number = 0
    try:
        with _opened(file, progress) as stream:
            try:
                for line in _lines(stream, limit, file.document):
                    number = line.number
                    yield line
            except _DAMAGED:
                yield Line(number + 1, None, None, Defect.BROKEN_FILE)
            except OSError as error:
                if error.errno is not None:
                    raise
                # bz2 and zstd say so of damaged data
                yield Line(number + 1, None, None, Defect.BROKEN_FILE)
    except (*_DAMAGED, NotImplementedError, RuntimeError):  # how a member is packed
        yield Line(number + 1, None, None, Defect.BROKEN_FILE)
    except OSError as error:
        Defect.UNREADABLE.stop(path=file.name, cause=error.strerror)


@contextmanager
def _opened(file: ExportFile, progress: Callable[[int], None]) -> Iterator[_Readable]:
    """Open a file or a member of an archive, unpacked."""
    if file.member is not None:
        with zipfile.ZipFile(file.path) as archive, archive.open(file.member) as member:
            yield _unpacked(io.BufferedReader(cast(io.RawIOBase, member), _BUFFER))
        progress(file.size)
        return
    with file.path.open("rb", buffering=0) as raw:
        counted = _Counted(raw, progress)
        yield _unpacked(io.BufferedReader(counted, _BUFFER))


def _unpacked(stream: io.BufferedReader) -> _Readable:
    """Unpack a stream by its first bytes.

    What is unpacked is not buffered: a buffer would lose what came before a damage.
    """
    start = stream.peek(len(_XZ))
    packed = cast(BinaryIO, stream)
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=packed)
    if start.startswith(_BZIP2):
        return bz2.BZ2File(packed)
    if start.startswith(_XZ):
        return lzma.LZMAFile(packed)
    if start.startswith(_ZSTD):
        import pyarrow as pa  # a third of a second, for the exports that need it

        unpacked = pa.CompressedInputStream(pa.PythonFile(packed, "r"), "zstd")
        return io.BufferedReader(_Raw(unpacked), 1 << 16)
    return packed


class _Raw(io.RawIOBase):
    """pyarrow's stream as Python's own, which reads lines."""

    def __init__(self, stream: _Readable) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Counted(io.RawIOBase):
    """A file that counts how much of it is read."""

    def __init__(self, raw: io.RawIOBase | IO[bytes], progress: Callable[[int], None]) -> None:
        self._raw, self._progress = raw, progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._raw.readinto(buffer)  # type: ignore[union-attr]
        self._progress(count or 0)
        return count or 0


def _lines(stream: _Readable, limit: int, may_be_document: bool) -> Iterator[Line]:
    """Yield lines; or the whole, where it is one JSON document over several lines."""
    lines = _split(stream, limit * _DOCUMENT_LINES if may_be_document else limit)
    first = next(lines, None)
    if first is None:
        return
    if first.content is None or not _may_go_on(first.content, may_be_document):
        yield first
        yield from lines
        return
    rest = stream.read(limit * _DOCUMENT_LINES)
    whole = (first.content + b"\n" + rest).strip(_BLANK)
    if _is_json(whole):
        yield Line(first.number, whole, hashlib.sha256(whole).digest())
        return
    yield first
    # Neither: line by line, so that what is whole is not lost.
    number = first.number
    with io.BytesIO(rest) as begun:
        yield from _split(_Chained(begun, stream), limit, number)


class _Chained:
    """What was read ahead of a stream, then the stream."""

    def __init__(self, begun: io.BytesIO, stream: _Readable) -> None:
        self._begun, self._stream = begun, stream

    def read(self, size: int = -1, /) -> bytes:
        return self._begun.read(size) or self._stream.read(size)

    def readline(self, size: int = -1, /) -> bytes:
        line = self._begun.readline(size)
        if line.endswith(b"\n") or (line and 0 <= size <= len(line)):
            return line
        return line + self._stream.readline(size - len(line) if size >= 0 else size)


def _may_go_on(line: bytes, may_be_document: bool) -> bool:
    """Whether a first line may be the beginning of a document over several lines."""
    return line in (b"{", b"[") or (may_be_document and not _is_json(line))


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _split(stream: _Readable, limit: int, number: int = 0) -> Iterator[Line]:
    while chunk := stream.readline(limit):
        number += 1
        if number == 1:
            chunk = chunk.removeprefix(_BYTE_ORDER_MARK)
        if len(chunk) == limit and not chunk.endswith(b"\n"):
            digest = _skip_line(stream, chunk, limit)
            yield Line(number, None, digest, Defect.LINE_TOO_LONG)
        elif content := chunk.strip(_BLANK):
            yield Line(number, content, hashlib.sha256(content).digest())


def _skip_line(stream: _Readable, start: bytes, limit: int) -> bytes:
    """Read on to the line's end without keeping it; return the SHA-256 of all of it."""
    digest = hashlib.sha256(start)
    while chunk := stream.readline(limit):
        digest.update(chunk.rstrip(b"\r\n"))
        if chunk.endswith(b"\n"):
            break
    return digest.digest()
