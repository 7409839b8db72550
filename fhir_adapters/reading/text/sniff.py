"""What a text is, whatever its contentType says."""

from __future__ import annotations

import re

from fhir_adapters.reading.text.rtf import is_rtf

#: First bytes of formats that are not read, often labelled as text: PDF, ZIP (with the newer
#: Office files), the older Office files, PNG, JPEG, GIF, TIFF, gzip.
_BINARY = (
    *(b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff"),
    *(b"GIF8", b"II*\0", b"MM\0*", b"\x1f\x8b"),
)
_PAGE = re.compile(
    r"[\s\ufeff]*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)?"
    r"<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
# Tags that alone show that a text is a fragment of HTML …
_PLAIN_TAG = re.compile(
    r"<(?:br|hr)\s*/?>|<(?:input|img|meta|font|span|div|table|td|p|a|li|ul|style)\s[^<>]*=[^<>]*>",
    re.IGNORECASE,
)
# … and those that show it with their end tag. Text may hold "<120", "<3 meses>" or a
# placeholder in angle brackets, none of which is the name of an element that ends.
_END_TAG = re.compile(
    r"</(p|div|span|table|tr|td|th|ul|ol|li|dl|dt|dd|b|i|u|s|strong|em|strike|del|font|label"
    r"|h[1-6]|pre|center|small|sup|sub|section|article|textarea|select|option)\s*>",
    re.IGNORECASE,
)


def is_binary(data: bytes) -> bool:
    """Return whether bytes begin as a format does that is not read."""
    return data.lstrip(b"\r\n\t ").startswith(_BINARY)


def is_page(text: str) -> bool:
    """Return whether a text is a whole page of HTML."""
    return bool(_PAGE.match(text[:4096]))


def is_fragment(text: str) -> bool:
    """Return whether a text plainly holds HTML.

    Examples
    --------
    >>> is_fragment("TA < 120 y FC > 90, <3 meses"), is_fragment("Disnea<br>Tos")
    (False, True)
    """
    if "<" not in text or ">" not in text:
        return False
    if _PLAIN_TAG.search(text):
        return True
    ended = {match[1].lower() for match in _END_TAG.finditer(text)}
    return any(re.search(rf"<{name}[\s/>]", text, re.IGNORECASE) for name in ended)


__all__ = ["is_binary", "is_fragment", "is_page", "is_rtf"]
