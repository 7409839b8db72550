"""Which files of an export are read, as what, and which are not.

What a name promises is only a hint: compression is recognised by the first bytes, and a file
``*.json`` may hold one resource, a Bundle, a list, or one resource a line.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from clinical_nlp.records import FileCounts
from fhir_adapters.reading.defects import Defect

# "Condition.ndjson", "Condition.000.ndjson.gz", "Condition.ndjson.1" (rotated, split)
_LINES = re.compile(r".+\.(?:ndjson|jsonl|ndj)", re.IGNORECASE)
_DOCUMENT = re.compile(r".+\.json", re.IGNORECASE)
_PACKED = re.compile(r"\.(?:gz|gzip|zst|bz2|xz)$", re.IGNORECASE)
_ROTATED = re.compile(r"\.[0-9]{1,4}$")
_ARCHIVE = re.compile(r".+\.zip", re.IGNORECASE)
# Names of files that may hold resources and are not read: another format, another archive,
# an unfinished download.
_MAY_HOLD_DATA = re.compile(
    r".+\.(?:xml|ttl|csv|tsv|parquet|avro|orc|7z|rar|tar|tgz|tbz2?|txz|zip|gz|zst|bz2|xz)"
    r"|.+\.(?:ndjson|jsonl|json)\b.*",
    re.IGNORECASE,
)
#: Folder of Bundles that name what was deleted
#: (https://hl7.org/fhir/uv/bulkdata/export.html#response---complete-status, ``deleted``).
DELETED = "deleted"
#: Folder of the files that attachments refer to, as export clients download them.
ATTACHMENTS = "attachments"
# Folders of export clients in which no resource of a patient lies.
_BOOKKEEPING = frozenset({"error", "errors", "log", "logs", "manifest"})


@dataclass(frozen=True)
class ExportFile:
    """A file to read, or a member of an archive.

    Parameters
    ----------
    name
        As the quarantine names it, without the export's folder.
    path, member
        Where it lies; ``member`` within the archive ``path``.
    size
        Bytes on disk; of members, as they are packed.
    deleted
        Whether it names what was deleted.
    document
        Whether it may be one JSON document, and not one resource a line.
    """

    name: str
    path: Path
    size: int
    member: str | None = None
    deleted: bool = False
    document: bool = False

    @cached_property
    def is_log(self) -> bool:
        """Whether an export client wrote it, about its own work."""
        return _is_log(PurePosixPath(self.name).name)


@dataclass(slots=True)
class Listing:
    """The content of an export.

    Parameters
    ----------
    files
        What is read, by name.
    unread
        What is not, by name, and the defect that says so; ``None`` where the name shows
        that it holds no resources.
    attachments
        Folders, or archives and their inner folder, of the files that attachments refer to.
    """

    files: list[ExportFile] = field(default_factory=list)
    unread: dict[str, Defect | None] = field(default_factory=dict)
    attachments: list[tuple[Path, str | None]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Names of all files, read or not, in order."""
        return sorted([*(file.name for file in self.files), *self.unread])

    def counts(self) -> FileCounts:
        """Return how many files are read, and how many are not."""
        unread = sum(defect is not None for defect in self.unread.values())
        return FileCounts(len(self.files), unread, len(self.unread) - unread)


def export_files(export: Path) -> Listing:
    """List the files of an export.

    Parameters
    ----------
    export
        A folder or a single file. Of subfolders only ``deleted`` is read, and ``attachments``
        for what attachments refer to.

    Raises
    ------
    clinical_nlp.errors.InputError
        E200 where it does not exist, E201 where it holds nothing that is read, E202 where the
        system refuses to list it.
    """
    listing = Listing()
    try:
        if export.is_file():
            if _ARCHIVE.fullmatch(export.name):
                _add_archive(listing, export, export.name)
            else:
                document = not _is_lines(export.name)
                size = export.stat().st_size
                listing.files.append(ExportFile(export.name, export, size, document=document))
        elif export.is_dir():
            _add_folder(listing, export)
        else:
            Defect.NO_FOLDER.stop(path=export)
    except OSError as error:
        Defect.UNREADABLE.stop(path=export, cause=error.strerror)
    if not listing.files:
        Defect.NO_FILES.stop(path=export)
    listing.files.sort(key=lambda file: file.name)
    return listing


def _add_folder(listing: Listing, folder: Path, prefix: str = "") -> None:
    deleted = prefix == f"{DELETED}/"
    for path in folder.iterdir():
        name = prefix + path.name
        if path.name.startswith("."):
            continue
        if path.is_dir():
            _add_subfolder(listing, path, name)
        elif not path.is_file():
            continue
        elif _is_lines(path.name) or _is_document(path.name):
            document = _is_document(path.name)
            size = path.stat().st_size
            listing.files.append(ExportFile(name, path, size, deleted=deleted, document=document))
        elif _ARCHIVE.fullmatch(path.name):
            _add_archive(listing, path, name)
        else:
            listing.unread[name] = _why_unread(path.name)


def _add_subfolder(listing: Listing, path: Path, name: str) -> None:
    kind = path.name.casefold()
    if name.casefold() == DELETED:
        _add_folder(listing, path, f"{DELETED}/")
    elif name.casefold() == ATTACHMENTS:
        listing.attachments.append((path, None))
    elif kind in _BOOKKEEPING or not any(_why_unread(p.name, True) for p in path.rglob("*")):
        listing.unread[f"{name}/"] = None
    else:
        listing.unread[f"{name}/"] = Defect.UNREAD_FOLDER


def _add_archive(listing: Listing, path: Path, name: str) -> None:
    """Add the members of a ZIP archive, whatever folder of it they lie in."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = list(_members(listing, archive, path, name))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        listing.unread[name] = Defect.BAD_ARCHIVE
        return
    if members:
        # What is no member's (the directory of the archive) counts for the first.
        rest = path.stat().st_size - sum(member.size for member in members)
        members[0] = replace(members[0], size=members[0].size + rest)
    listing.files.extend(members)


def _members(
    listing: Listing, archive: zipfile.ZipFile, path: Path, name: str
) -> Iterator[ExportFile]:
    for info in archive.infolist():
        parts = PurePosixPath(info.filename).parts
        if info.is_dir() or not parts or "__MACOSX" in parts or parts[-1].startswith("."):
            continue
        folder = parts[-2].casefold() if len(parts) > 1 else ""
        inner, said = parts[-1], f"{name}/{info.filename}"
        if ATTACHMENTS in (part.casefold() for part in parts[:-1]):
            at = [part.casefold() for part in parts].index(ATTACHMENTS)
            place = (path, "/".join(parts[: at + 1]))
            if place not in listing.attachments:
                listing.attachments.append(place)
        elif info.flag_bits & 1:
            listing.unread[said] = Defect.BAD_ARCHIVE  # needs a password
        elif _is_lines(inner) or _is_document(inner):
            yield ExportFile(
                said,
                path,
                info.compress_size,
                info.filename,
                deleted=folder == DELETED,
                document=_is_document(inner),
            )
        else:
            listing.unread[said] = _why_unread(inner)


def _plain_name(name: str) -> str:
    """Return a name without the marks of compression and rotation."""
    for mark in (_ROTATED, _PACKED, _ROTATED):
        name = mark.sub("", name)
    return name


def _is_lines(name: str) -> bool:
    return _LINES.fullmatch(_plain_name(name)) is not None


def _is_document(name: str) -> bool:
    return _DOCUMENT.fullmatch(_plain_name(name)) is not None


def _why_unread(name: str, anywhere: bool = False) -> Defect | None:
    """Return the defect of a file that is not read and may hold resources."""
    if name.startswith(".") or _is_log(name):
        return None
    if anywhere and (_is_lines(name) or _is_document(name) or _ARCHIVE.fullmatch(name)):
        return Defect.UNREAD_FILE
    return Defect.UNREAD_FILE if _MAY_HOLD_DATA.fullmatch(name) else None


def _is_log(name: str) -> bool:
    return name.casefold().startswith("log.")
