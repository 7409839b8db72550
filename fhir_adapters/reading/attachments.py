"""FHIR Attachments → text, and the choice among several of one document."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_adapters.reading.defects import Defect, LeftOut, Outcome, Unusable, megabytes
from fhir_adapters.reading.references import contained, parse_reference
from fhir_adapters.reading.shape import Json, string
from fhir_adapters.reading.text.reading import Format, read_bytes, read_string

_FORMATS = {
    "text/plain": Format.PLAIN,
    "text/html": Format.HTML,
    "application/xhtml+xml": Format.HTML,
    "application/rtf": Format.RTF,
    "text/rtf": Format.RTF,
    "application/x-rtf": Format.RTF,
    "text/xml": Format.CDA,
    "application/xml": Format.CDA,
    "application/hl7-v3+xml": Format.CDA,
    "application/hl7-cda+xml": Format.CDA,
    "application/cda+xml": Format.CDA,
}
#: Content types that decide nothing; the first bytes do.
_GENERIC = frozenset({"", "application/octet-stream", "text/plain"})
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^"';\s]+)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One attachment, as far as it could be read.

    Parameters
    ----------
    text
        Its text; ``None`` where it was not read or not read yet.
    format
        ``None`` where it is not one that is read.
    binary
        Id of the Binary that holds its data, while that has not been read.
    media
        Its contentType, kept with ``binary``.
    defect, details
        What is wrong with it.
    """

    text: str | None = None
    format: Format | None = None
    language: str | None = None
    binary: str | None = None
    media: str | None = None
    defect: Defect | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def broken(self, defect: Defect, **details: object) -> Part:
        """Return the part as one that cannot be read."""
        return Part(
            format=_FORMATS.get(_parse_media(self.media)[0]),
            language=self.language,
            binary=self.binary,
            defect=defect,
            details=details,
        )

    def in_language(self, default: str | None) -> Part:
        """Return the part with ``default`` as language, unless it has its own."""
        return self if self.language or not default else replace(self, language=default)


def read_attachment(attachment: Json, resource: Json, limit: int) -> Part | None:
    """Read one Attachment.

    Parameters
    ----------
    attachment
        The Attachment.
    resource
        The resource that holds it, for contained Binaries.
    limit
        Most bytes of data; larger attachments are refused.

    Returns
    -------
    Part or None
        ``None`` where it holds neither data nor url.
    """
    language, media = string(attachment, "language"), string(attachment, "contentType")
    data, url = string(attachment, "data"), string(attachment, "url")
    if data is None and url is None:
        return None
    if data is None and url is not None:
        reference = parse_reference(url)
        if reference is not None and reference.contained:
            inner = contained(resource, reference.id) or {}
            data, media = string(inner, "data"), _more_specific(string(inner, "contentType"), media)
            if data is None:
                return Part(language=language, defect=Defect.NO_BINARY, details={"reference": "#"})
        elif reference is None or reference.type not in (None, "Binary"):
            return Part(language=language, defect=Defect.FOREIGN_URL)
        else:
            return Part(language=language, binary=reference.id, media=media)
    try:
        return replace(read_data(decode_base64(data or "", limit), media), language=language)
    except Unusable as error:
        unread = Part(language=language, media=media)
        return unread.broken(error.defect, **error.details)


def read_binary(part: Part, data: bytes, binary_media: str | None) -> Part:
    """Complete a part with the data of the Binary it refers to."""
    media = _more_specific(binary_media, part.media)
    try:
        return replace(read_data(data, media), language=part.language, binary=part.binary)
    except Unusable as error:
        return replace(part, media=media).broken(error.defect, **error.details)


def decode_base64(text: str, limit: int) -> bytes:
    """Return the bytes of FHIR's ``base64Binary``, which may hold white space.

    Raises
    ------
    Unusable
        E233 where it is not base64, E234 where it is larger than ``limit`` bytes.
    """
    packed = "".join(text.split())
    if len(packed) // 4 * 3 > limit + 2:
        raise Unusable(Defect.TOO_LARGE, limit=megabytes(limit))
    try:
        return base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise Unusable(Defect.BAD_BASE64) from None


def read_data(data: bytes, media: str | None) -> Part:
    """Decode an attachment's bytes by its contentType, and by its first bytes.

    RTF and HTML declared as plain text are common, and read as what they are.

    Raises
    ------
    Unusable
        E232 where the format is not read, E235 or E236 where the content cannot be.
    """
    kind, charset = _parse_media(media)
    format_ = Format.PLAIN if kind in _GENERIC else _FORMATS.get(kind)
    if format_ is None:
        raise Unusable(Defect.BAD_FORMAT)
    text, format_, defect = read_bytes(data, format_, charset)
    return Part(text=text, format=format_, defect=defect)


def text_part(text: str, limit: int, format_: Format = Format.PLAIN) -> Part:
    """Make a part of a text that the resource itself holds.

    Raises
    ------
    Unusable
        E234: it is larger than ``limit`` bytes.
    """
    if len(text.encode("utf-8", "replace")) > limit:
        raise Unusable(Defect.TOO_LARGE, limit=megabytes(limit))
    text, defect = read_string(text)
    return Part(text=text, format=format_, defect=defect)


def choose(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """Choose the notes among a document's attachments.

    Several attachments of one document are the same document in different formats
    (https://hl7.org/fhir/R4/documentreference-definitions.html#DocumentReference.content),
    so only those of the best format that could be read are taken; where there are several
    of that format, each text once. Text of the resource itself stands in for attachments
    that cannot be read.

    Returns
    -------
    notes : list of Part
        Parts with a text; never empty.
    defective : list of Part
        Parts of that format that could not be read (of any, beside text of the resource
        itself), and notes that have a defect.

    Raises
    ------
    Unusable
        None could be read; carries the defect of the first.
    LeftOut
        They hold no text, only white space.
    """
    readable = [part for part in parts if part.text is not None and part.text.strip()]
    broken = [part for part in parts if part.text is None and part.defect is not None]
    if not readable:
        if broken and (defect := broken[0].defect):
            raise Unusable(defect, **broken[0].details)
        raise LeftOut
    best = min(part.format for part in readable if part.format is not None)
    notes: dict[str, Part] = {}
    for part in readable:
        if part.format is best:
            notes.setdefault(part.text or "", part)
    defective = [part for part in notes.values() if part.defect is not None]
    unread = [part for part in broken if best is Format.SUMMARY or part.format is best]
    return list(notes.values()), defective + unread


def defect_of_kept(part: Part) -> tuple[Defect, dict[str, Any]]:
    """Return the defect to report for a defective part of a document that is used."""
    if part.defect is not None and part.defect.outcome is Outcome.KEPT:
        return part.defect, part.details
    return Defect.LOST_ATTACHMENT, {"cause": part.defect.code if part.defect else ""}


def _parse_media(media: str | None) -> tuple[str, str | None]:
    if media is None:
        return "", None
    charset = _CHARSET.search(media)
    return media.partition(";")[0].strip().lower(), charset[1] if charset else None


def _more_specific(binary_media: str | None, attachment_media: str | None) -> str | None:
    """Return the more specific of a Binary's contentType and its attachment's."""
    kind, charset = _parse_media(binary_media)
    if kind in _GENERIC and charset is None and attachment_media:
        return attachment_media
    return binary_media
