"""Character references of HTML, escaped once or several times."""

from __future__ import annotations

import html
import re

# Half of a pair: writers that count in UTF-16 make two references of one emoji. html.unescape
# loses both, so they are kept as they are until pairs are joined.
_HALF = re.compile(r"&#(?:(5[5-7][0-9]{3})|[xX]([dD][89a-fA-F][0-9a-fA-F]{2}));")
#: A reference with its semicolon: in plain text, "&copy" or "AT&T" are none.
_REFERENCE = re.compile(r"&(?:[A-Za-z]{2,8}[0-9]?|#[0-9]{2,6}|#[xX][0-9a-fA-F]{2,6});")


def unescape(text: str) -> str:
    """Replace character references once, as an HTML parser does."""
    if "&" not in text:
        return text
    if "&#" in text:
        text = _HALF.sub(_half, text)
    return html.unescape(text)


def unescape_once(text: str) -> str:
    """Replace references that are left in plain text, which was escaped more than once.

    Examples
    --------
    >>> unescape_once("Exploraci&oacute;n de AT&T: TA &lt; 120 &amp;lt;")
    'Exploración de AT&T: TA < 120 &lt;'
    """
    return _REFERENCE.sub(lambda match: unescape(match[0]), text)


def _half(match: re.Match[str]) -> str:
    unit = int(match[1]) if match[1] else int(match[2], 16)
    return chr(unit) if 0xD800 <= unit <= 0xDFFF else match[0]
