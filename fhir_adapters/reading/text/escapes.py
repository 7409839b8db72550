r"""Escapes of other formats that a system left in a plain text.

Interfaces pass text through HL7 version 2, mail or JSON, and not all undo what those escape:
``\.br\`` for a line's end (HL7 v2.5.1, 2.7.6), ``=C3=B3`` for "ó" in UTF-8, ``\n`` and
``\u00f3`` as letters.
"""

from __future__ import annotations

import re

_HL7_BREAK = re.compile(r"\\\.(?:br|sp|ce)\d{0,2}\\", re.IGNORECASE)
_HL7_HIGHLIGHT = re.compile(r"\\[HN]\\")
_HL7_SIGNS = {"\\T\\": "&", "\\S\\": "^", "\\F\\": "|", "\\R\\": "~", "\\E\\": "\\"}
_JSON_LETTER = re.compile(r"\\u(00[a-fA-F][0-9a-fA-F]|20[0-3][0-9a-fA-F])")
_LITERAL_BREAK = re.compile(r"(?:\\r)?\\n|\\r(?![a-z])")
#: Without a line's end and with so many of them, they are meant as line ends.
_MOST_BREAKS = 2
# Only what UTF-8 makes of Western text: "FC=88" is a value.
_QUOTED = re.compile("(?:=C[23]=[89AB][0-9A-F]|=E2=8[0-9]=[89AB][0-9A-F])+")
_SOFT_BREAK = re.compile(r"=\r?\n")


def undo_escapes(text: str) -> str:
    r"""Return a plain text without the escapes of other formats.

    Examples
    --------
    >>> undo_escapes(r"Disnea: no\.br\Edemas: s\u00ed")
    'Disnea: no\nEdemas: sí'
    >>> undo_escapes("Exploraci=C3=B3n, FC=88")
    'Exploración, FC=88'
    """
    if "\\" in text:
        text = _undo_backslashes(text)
    if "=" in text and _QUOTED.search(text):
        text = _SOFT_BREAK.sub("", text)
        text = _QUOTED.sub(_unquoted, text).replace("=20", " ").replace("=3D", "=")
    return text


def _undo_backslashes(text: str) -> str:
    if _HL7_BREAK.search(text):
        text = _HL7_HIGHLIGHT.sub("", _HL7_BREAK.sub("\n", text))
        for escape, sign in _HL7_SIGNS.items():
            text = text.replace(escape, sign)
    text = _JSON_LETTER.sub(lambda match: chr(int(match[1], 16)), text)
    if "\n" not in text and len(_LITERAL_BREAK.findall(text)) >= _MOST_BREAKS:
        text = _LITERAL_BREAK.sub("\n", text).replace("\\t", "\t")
    return text


def _unquoted(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("=", "")).decode("utf-8", "replace")
