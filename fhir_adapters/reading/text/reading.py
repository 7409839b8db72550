"""A note's bytes, or a text of a resource → the note's text."""

from __future__ import annotations

import base64
import re
from enum import IntEnum

from fhir_adapters.reading.defects import Defect, Unusable
from fhir_adapters.reading.text.cda import cda_to_text, is_cda
from fhir_adapters.reading.text.decoding import decode_text
from fhir_adapters.reading.text.entities import unescape_once
from fhir_adapters.reading.text.escapes import undo_escapes
from fhir_adapters.reading.text.html import html_to_text
from fhir_adapters.reading.text.repair import looks_broken, repair
from fhir_adapters.reading.text.rtf import rtf_to_text
from fhir_adapters.reading.text.sniff import is_binary, is_fragment, is_page, is_rtf

_META_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([A-Za-z0-9_:.\-]{1,40})""", re.IGNORECASE
)
_XML_ENCODING = re.compile(
    rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_:.\-]{1,40})"""
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_LEAST_BASE64 = 24
#: Bytes of text, accented letters in any charset among them.
_TEXT = re.compile(rb"[\t\r\n -~]|[\xc2-\xc5\xe2][\x80-\xbf]+")
#: How often a text may have been escaped.
_MOST_ROUNDS = 4


class Format(IntEnum):
    """Formats that are read, the best first: less markup loses less of the text."""

    PLAIN = 0
    HTML = 1
    RTF = 2
    #: Text of the resource itself (a report's conclusion), for want of a readable attachment.
    SUMMARY = 3
    #: XML, of which CDA documents are read; they become ``HTML``, as which they are shown.
    CDA = 4


def read_bytes(
    data: bytes, format_: Format, charset: str | None
) -> tuple[str, Format, Defect | None]:
    """Return the text of a note's bytes.

    Parameters
    ----------
    data
        The bytes.
    format_
        As declared; RTF and HTML are recognised whatever is declared.
    charset
        As declared; ``None`` where nothing is.

    Returns
    -------
    text : str
        The note's text: valid Unicode, to which offsets refer.
    format : Format
        What it was.
    defect : Defect or None
        One that does not keep the text from being read: E237 or E242.

    Raises
    ------
    Unusable
        E232, E235 or E236: the bytes are not text.
    """
    data = _once_more(data)
    if is_binary(data):
        raise Unusable(Defect.BAD_FORMAT)
    if is_rtf(data[:200].decode("latin-1")):
        text, defect, format_ = rtf_to_text(data), None, Format.RTF
    else:
        if format_ is Format.RTF:
            format_ = Format.PLAIN
        declared = charset
        if format_ in (Format.HTML, Format.CDA) or b"<" in data[:1024]:
            declared = charset or _charset_in(data)
        text, defect = decode_text(data, declared)
        text, format_ = text_of(text, format_)
    text = repair(text)
    return text, format_, Defect.LOOKS_BROKEN if looks_broken(text) else defect


def read_string(text: str) -> tuple[str, Defect | None]:
    """Return a note's text that a resource holds as a string, and E242 where it is broken."""
    text = repair(text_of(text, Format.PLAIN)[0])
    return text, Defect.LOOKS_BROKEN if looks_broken(text) else None


def text_of(text: str, format_: Format) -> tuple[str, Format]:
    """Take a decoded text out of its markup, whatever it is called.

    Raises
    ------
    Unusable
        E232: XML that is no CDA document.
    """
    if is_rtf(text):  # in UTF-16, or in a string: RTF itself is ASCII
        return rtf_to_text(text.encode("utf-8", "replace")), Format.RTF
    if is_cda(text):
        return cda_to_text(text), Format.HTML
    if format_ is Format.CDA:
        raise Unusable(Defect.BAD_FORMAT)
    if is_page(text) or format_ is Format.HTML:
        format_, text = Format.HTML, html_to_text(text)
    for _ in range(_MOST_ROUNDS):  # markup that was escaped becomes markup again
        if is_fragment(text):
            format_, text = Format.HTML, html_to_text(text, keep_lines=True)
        elif "&" not in text or (unescaped := unescape_once(text)) == text:
            break
        else:
            text = unescaped
    return undo_escapes(text), format_


def _once_more(data: bytes) -> bytes:
    """Undo a second base64, which a text never looks like by chance."""
    packed = data.translate(None, b"\r\n")
    if len(packed) >= _LEAST_BASE64 and len(packed) % 4 == 0 and _BASE64.fullmatch(packed):
        inner = base64.b64decode(packed)
        start = inner[:400]
        if is_binary(inner) or len(_TEXT.findall(start)) * 10 > len(start) * 9:
            return inner
    return data


def _charset_in(data: bytes) -> str | None:
    """Return the charset that a page declares in its first bytes."""
    start = data[:1024]
    match = _XML_ENCODING.search(start) or _META_CHARSET.search(start)
    return match[1].decode("ascii") if match else None
