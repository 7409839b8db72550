"""Decode the bytes of a note, even where its declared charset is wrong.

Spanish systems mix UTF-8, Windows-1252 and Latin-1, and declare them wrongly in both
directions. Valid UTF-8 is hardly ever anything else: Latin-1 text with an accent is not valid
UTF-8, save for sequences such as "Ã±" that nobody writes. So the bytes are tried before the
declaration.
"""

from __future__ import annotations

import codecs
import re

from fhir_adapters.reading.defects import Defect, Unusable

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as UTF-16's does, so it comes before it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"})
# As browsers do (https://encoding.spec.whatwg.org/#names-and-labels): a declared ASCII or
# Latin-1 mostly is Windows-1252, with its curly quotes and its euro sign.
_WINDOWS = frozenset({"ascii", "iso8859-1", "cp1252", "utf-8", "utf-8-sig"})
#: Single-byte charsets in which a European system may have written.
_SINGLE_BYTE = frozenset(
    {f"iso8859-{part}" for part in (2, 3, 4, 5, 7, 9, 10, 13, 14, 15, 16)}
    | {f"cp{page}" for page in (437, 850, 858, 1250, 1251, 1253, 1254, 1257)}
    | {"mac-roman"}
)
_MULTIBYTE_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")


def decode_text(data: bytes, charset: str | None) -> tuple[str, Defect | None]:
    """Decode a note's bytes.

    In this order: a byte order mark; a declared UTF-16 or UTF-32; UTF-8, where the bytes
    are valid as such; a declared single-byte charset; UTF-8 with U+FFFD for the broken
    bytes, where most of the bytes past ASCII are valid UTF-8 (a damaged copy); Windows-1252.

    Parameters
    ----------
    data
        The bytes; a byte order mark is removed.
    charset
        As declared; ``None`` where nothing is.

    Returns
    -------
    text : str
        The text, line ends as they were.
    defect : Defect or None
        ``CHARSET_IGNORED`` where the charset is unknown but the bytes are valid UTF-8.

    Raises
    ------
    Unusable
        E235 where the bytes are no text, E236 where the charset is unknown and the bytes
        are not UTF-8.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _decode_utf(data[len(bom) :], name), None
    known = _codec_name(charset)
    if known in _WIDE:
        return _decode_utf(data, known), None
    # A few NULs come from fixed-width fields of old systems; many mean a binary file, or
    # undeclared UTF-16.
    if data.count(0) * 10 > len(data):
        raise Unusable(Defect.NOT_TEXT)
    unknown = charset is not None and known is None
    try:
        return data.decode("utf-8"), Defect.CHARSET_IGNORED if unknown else None
    except UnicodeDecodeError:
        pass
    if unknown:
        raise Unusable(Defect.UNKNOWN_CHARSET)
    if known in _SINGLE_BYTE:
        return data.decode(known, "replace"), None
    return data.decode("utf-8" if _mostly_utf8(data) else "cp1252", "replace"), None


def _codec_name(charset: str | None) -> str | None:
    """Return Python's name of a charset we read; ``None`` for others."""
    if charset is None:
        return None
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return None
    return name if name in _WIDE | _WINDOWS | _SINGLE_BYTE else None


def _decode_utf(data: bytes, name: str) -> str:
    """Decode data that a byte order mark or a declaration calls UTF-16 or UTF-32."""
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        raise Unusable(Defect.NOT_TEXT) from None


def _mostly_utf8(data: bytes) -> bool:
    valid = _MULTIBYTE_UTF8.findall(data)
    broken = len(_HIGH_BYTE.findall(data)) - sum(map(len, valid))
    return len(valid) > broken
