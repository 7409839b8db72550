"""Decode the bytes of a note, even where its declared charset is wrong.

Valid UTF-8 is hardly ever anything else: Latin-1 text with an accent is not valid UTF-8, save
for sequences such as "Ã±" that nobody writes. So the bytes are tried before the declaration.
"""

from __future__ import annotations

import codecs
import re

from fhir_adapters.reading.defects import Defect, Unusable
from fhir_adapters.reading.text.charset import decode_western, is_western
from fhir_adapters.reading.text.repair import well_formed

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
#: Names that systems give to charsets and Python does not know, without their punctuation.
_ALIASES = {
    **dict.fromkeys(("ansi", "xansi", "windows", "win1252", "wincp1252", "windows1252"), "cp1252"),
    **dict.fromkeys(("cp1252", "msansi", "xcp1252", "westeuropean"), "cp1252"),
    **dict.fromkeys(("iso88591", "iso885911987", "isolatin1", "latin1"), "latin-1"),
    **dict.fromkeys(("iso885915", "latin9"), "iso8859-15"),
    **dict.fromkeys(("utf8mb4", "unicode11utf8", "xutf8", "utf8nobom", "utf8bom"), "utf-8"),
    **dict.fromkeys(("unicode", "ucs2", "iso10646ucs2"), "utf-16"),
    **dict.fromkeys(("dos", "oem", "oem850", "pc850", "ibm850", "cp850"), "cp850"),
    **dict.fromkeys(("macintosh", "mac", "xmacroman", "macroman"), "mac-roman"),
}
#: Characters of Western text: Latin letters, punctuation, signs, emoji.
_WESTERN = re.compile("[\t\n\r -~\xa0-\u024f\u2010-\u2bff\ufb00-\ufb06\U0001f000-\U0001faff]")
_PRINTABLE = re.compile(rb"[\t\n\r -~]")
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1f\x7f]")
_BETWEEN = re.compile(rb"(?:[^\0]\0{1,3}){2}[^\0]")


def decode_text(data: bytes, charset: str | None) -> tuple[str, Defect | None]:
    """Decode a note's bytes.

    In this order: a byte order mark; a declared UTF-16 or UTF-32, where it gives text; UTF-8,
    where the bytes are valid as such; UTF-16 that is not declared; a declared charset of
    another script; the Western charset that gives the best Spanish (``charset``), where the
    declared one decides if in doubt.

    Parameters
    ----------
    data
        The bytes; a byte order mark is removed.
    charset
        As declared; ``None`` where nothing is.

    Returns
    -------
    text : str
        The text, line ends as they were; valid Unicode without lone surrogates.
    defect : Defect or None
        ``CHARSET_IGNORED`` where the charset is unknown but the bytes are valid UTF-8.

    Raises
    ------
    Unusable
        E235 where the bytes are no text, E236 where the charset is unknown and the bytes
        are not UTF-8.
    """
    known = _codec_name(charset)
    for bom, name in _BOMS:
        if data.startswith(bom):
            data = data[len(bom) :]
            if name in _WIDE:
                return _decode_wide(data, name), None
            break
    if known in _WIDE and _is_wide(data, known):
        return _decode_wide(data, known), None
    # NULs fill up fixed-width fields of old systems; else many of them mean a binary file, or
    # undeclared UTF-16.
    if data.count(0) * 10 > len(data) and not _is_padded(data):
        return _decode_wide(data, _undeclared(data)), None
    unknown = charset is not None and known is None
    try:
        # Some systems write the halves of surrogate pairs in UTF-8, one by one.
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        pass
    else:
        return well_formed(text), Defect.CHARSET_IGNORED if unknown else None
    if unknown:
        raise Unusable(Defect.UNKNOWN_CHARSET)
    if known in _SINGLE_BYTE and not is_western(known):
        return data.decode(known, "replace"), None
    return decode_western(data, known), None


def _codec_name(charset: str | None) -> str | None:
    """Return Python's name of a charset we read; ``None`` for others."""
    if charset is None:
        return None
    plain = re.sub("[^a-z0-9]", "", charset.lower())
    try:
        name = codecs.lookup(_ALIASES.get(plain, charset)).name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return None
    return name if name in _WIDE | _WINDOWS | _SINGLE_BYTE else None


def _is_wide(data: bytes, name: str) -> bool:
    """Return whether bytes are in the wide charset that is declared, not in a narrow one.

    Text in a narrow charset makes Chinese in a wide one, and holds no NUL.
    """
    text = data.decode(name, "replace")
    return len(_WESTERN.findall(text)) * 2 > len(text)


def _is_padded(data: bytes) -> bool:
    """Return whether bytes are text but for NULs, which never stand between two letters."""
    rest = data.replace(b"\0", b"")
    if not rest or _CONTROL.search(rest) or _BETWEEN.search(data):
        return False
    return len(_PRINTABLE.findall(rest)) * 10 > len(rest) * 7


def _undeclared(data: bytes) -> str:
    """Return the wide charset of bytes with many NULs.

    Raises
    ------
    Unusable
        E235: they are no text.
    """
    for name in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        text = data.decode(name, "replace")
        # Every other byte of Western text in UTF-16 is a NUL.
        if len(_WESTERN.findall(text)) * 10 > len(text) * 9:
            return name
    raise Unusable(Defect.NOT_TEXT)


def _decode_wide(data: bytes, name: str) -> str:
    """Decode UTF-16 or UTF-32; a last character that breaks off goes."""
    unit = 4 if "32" in name else 2
    whole = data[: len(data) // unit * unit]
    try:
        return well_formed(whole.decode(name, "surrogatepass"))
    except UnicodeDecodeError:
        raise Unusable(Defect.NOT_TEXT) from None
