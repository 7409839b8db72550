"""Files beside an export that attachments refer to, as export clients download them.

SMART's bulk-data-client, for one, stores them in ``attachments/`` and writes
``"url": "./attachments/note.html"`` (https://github.com/smart-on-fhir/bulk-data-client).
"""

from __future__ import annotations

import base64
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from fhir_adapters.reading.files import ATTACHMENTS
from fhir_adapters.reading.shape import Json, child, children, string

_URL = re.compile(rf"(?:[^?#]*/)?{ATTACHMENTS}/(?P<name>[^?#]+)(?:[?#].*)?", re.DOTALL)


class AttachmentFiles:
    """Puts the content of files into the attachments that refer to them.

    Parameters
    ----------
    places
        Folders; or archives and the folder within.
    limit
        Most bytes of a note; a little more is read, so that the reader can refuse it.
    """

    def __init__(self, places: Sequence[tuple[Path, str | None]], limit: int) -> None:
        self._places = places
        self._most = limit + 3

    def fill(self, resource: Json) -> None:
        """Complete the attachments of a document, in place; others stay as they are."""
        if not self._places:
            return
        contents = (child(content, "attachment") for content in children(resource, "content"))
        for attachment in [*contents, *children(resource, "presentedForm")]:
            url = string(attachment, "url")
            if url is None or attachment.get("data") is not None:
                continue
            match = _URL.fullmatch(url)
            data = None if match is None else self._read(unquote(match["name"]))
            if data is not None:
                attachment["data"] = base64.b64encode(data).decode("ascii")

    def _read(self, name: str) -> bytes | None:
        """Return a file's first bytes; ``None`` where there is no such file."""
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\0" in name:
            return None
        for path, inner in self._places:
            try:
                if inner is None:
                    root, file = path.resolve(), path.joinpath(*parts).resolve()
                    if file.is_relative_to(root) and file.is_file():
                        with file.open("rb") as content:
                            return content.read(self._most)
                else:
                    with (
                        zipfile.ZipFile(path) as archive,
                        archive.open(f"{inner}/{name}") as member,
                    ):
                        return member.read(self._most)
            except (OSError, KeyError, zipfile.BadZipFile):
                continue
        return None
