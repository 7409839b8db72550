"""A FHIR R4 bulk export of domain records, with the variety of real Spanish exports.

Used for the demonstration export and for tests. What the domain does not carry (names,
identifiers, addresses) comes as :class:`~fhir_adapters.simulated.resources.Demographics`.
Choices that differ between real systems (charset, markup, the file of a resource) are made by
a checksum of the resource's reference, so that the same records give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from pathlib import Path
from typing import BinaryIO, Self

from clinical_nlp.artifacts import open_private
from clinical_nlp.errors import OutputError, UsageError
from clinical_nlp.records import PatientRecord
from fhir_adapters.simulated.resources import Demographics, resources

#: Files that a type is spread over; patients alternate between them.
FILES: dict[str, tuple[str, ...]] = {
    "Patient": ("Patient.ndjson",),
    "Encounter": ("Encounter.ndjson.gz",),
    "Condition": ("Condition.ndjson",),
    "Observation": ("Observation.000.ndjson.gz", "Observation.001.ndjson.gz"),
    "MedicationRequest": ("MedicationRequest.ndjson",),
    "Procedure": ("Procedure.ndjson",),
    "FamilyMemberHistory": ("FamilyMemberHistory.ndjson",),
    "DocumentReference": (
        "DocumentReference.000.ndjson",
        "DocumentReference.001.ndjson.gz",
        "DocumentReference.002.ndjson",
    ),
    "Binary": ("Binary.ndjson.gz",),
}


class SimulatedExport:
    """Writes a folder of NDJSON files; a context manager.

    Parameters
    ----------
    folder
        New or empty; created where absent, mode 0700. Files have mode 0600.

    Raises
    ------
    UsageError
        E113 where the folder is not empty.
    OutputError
        E513 where it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.counts: dict[str, int] = {}
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise UsageError(
                    "E113", f"'{folder}' is not empty: give a new folder for the export."
                )
        except OSError as error:
            raise _cannot_write(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        for file in self._files.values():
            file.close()

    def write(self, record: PatientRecord, demographics: Demographics) -> None:
        """Append one patient and everything in the record."""
        shard = zlib.crc32(record.id.encode())
        for resource in resources(record, demographics):
            kind = resource["resourceType"]
            names = FILES[kind]
            self.counts[kind] = self.counts.get(kind, 0) + 1
            line = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
            self._append(names[shard % len(names)], line)

    def _append(self, name: str, line: str) -> None:
        try:
            if name not in self._files:
                self._files[name] = self._open(name)
            self._files[name].write(line.encode("utf-8") + b"\n")
        except OSError as error:
            raise _cannot_write(error) from None

    def _open(self, name: str) -> BinaryIO:
        raw = open_private(self._folder / name, exclusive=True)
        if not name.endswith(".gz"):
            return raw
        # No name and no time in the header: the same content gives the same bytes.
        return io.BufferedWriter(_Gzip(raw), buffer_size=1 << 16)


class _Gzip(gzip.GzipFile):
    """A gzip stream that closes the file under it."""

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__(filename="", mode="wb", compresslevel=5, fileobj=raw, mtime=0)
        self._raw_file = raw

    def close(self) -> None:
        super().close()
        self._raw_file.close()


def _cannot_write(error: OSError) -> OutputError:
    return OutputError(
        "E513",
        f"the export cannot be written ({error.strerror or type(error).__name__}): "
        "check that the folder can be written and that the disk has room.",
    )
