"""Mend text that was decoded wrongly on its way, and find where it still looks broken.

Offsets of findings refer to the mended text. Only what cannot have been meant is changed:
UTF-8 that was read as another charset, halves of surrogate pairs, byte order marks and NULs.
Quotes, ligatures and widths stay as they were written. A clean note of 2,200
characters costs 16 µs.
"""

from __future__ import annotations

import re

from ftfy import TextFixerConfig, fix_encoding_and_explain
from ftfy.badness import is_bad

_SURROGATE = re.compile("[\ud800-\udfff]")
# What UTF-8's first bytes look like in Windows-1252, MacRoman and the code pages of DOS, …
_FIRST = "ÂÃâðÅÎÏ√¬├┬Γ┼≡‚"
_C1 = "".join(map(chr, range(0x80, 0xA0)))
# … with something past ASCII behind it. "Ã" before a space or a letter has lost its second
# byte, a space that does not break or a soft hyphen.
_MOJIBAKE = re.compile(f"[{_FIRST}{_C1}][^\x00-\x7f]|Ã[ a-z.,;:]|[{_C1}]|ï¿½")
_SUSPECT = tuple(_FIRST + _C1 + "ï")
#: "Exploraci¢n f¡sica": letters of code page 850 within words, read as Windows-1252.
_DOS = re.compile("(?<=[a-z])[¢£¤](?=[a-z])")
#: NULs fill up fields; other controls end lines in word processors and on old systems.
_CONTROLS = {"\0": " ", "\v": "\n", "\f": "\n", "\u2028": "\n", "\u2029": "\n"}
_LINE_END = re.compile("\r(?!\n)")
_ENCODING_ONLY = TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    fix_surrogates=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)
#: "í" in UTF-8 read as Windows-1252 is "Ã" and a soft hyphen, which many systems drop.
_LOST_HYPHEN = re.compile("(?<=[a-záéíóúñ])Ã(?=[a-zñ ])")
#: Accented letters that a system wrote as "?".
_QUESTIONED = re.compile("(?<=[a-záéíóúñ])\\?(?=[a-záéíóúñ])")
#: So many of them are no accident of punctuation.
_MOST_QUESTIONED = 2


def well_formed(text: str) -> str:
    r"""Join the halves of surrogate pairs; a half that stands alone becomes U+FFFD.

    Examples
    --------
    >>> well_formed("\ud83e\udec0 TA \ud83d")
    '🫀 TA �'
    """
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def repair(text: str) -> str:
    r"""Return a text in which what was decoded wrongly is mended.

    Lines with mojibake are given to ftfy, which undoes it where that is plain. NULs, with
    which old systems fill up fields, become spaces, line ends other than CR LF become LF, one
    for one; byte order marks go.

    Examples
    --------
    >>> repair("\ufeffExploraciÃ³n: «sin» edemas")
    'Exploración: «sin» edemas'
    """
    for control, shown in _CONTROLS.items():
        if control in text:
            text = text.replace(control, shown)
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    if text.isascii():
        return text
    text = _mend_dos(well_formed(text))
    if _suspect(text):
        lines = text.split("\n")
        text = "\n".join(_mend(line) if _MOJIBAKE.search(line) else line for line in lines)
    # No text wherever it stands: files are put together of several.
    return text.replace("\ufeff", "")


def _mend_dos(text: str) -> str:
    """Read a text anew that was in a code page of DOS and was taken for Windows-1252."""
    if not any(map(text.__contains__, "¢£¤")) or not _DOS.search(text):
        return text
    try:
        return text.encode("cp1252").decode("cp858")
    except UnicodeError:
        return text


def _suspect(text: str) -> bool:
    """Return whether a text may hold mojibake; a search for letters costs next to nothing."""
    return any(map(text.__contains__, _SUSPECT)) and _MOJIBAKE.search(text) is not None


def _mend(line: str) -> str:
    mended = fix_encoding_and_explain(line, _ENCODING_ONLY).text
    return _LOST_HYPHEN.sub("í", well_formed(mended))


def looks_broken(text: str) -> bool:
    """Return whether a text has lost characters, or still holds mojibake.

    Examples
    --------
    >>> looks_broken("diagn?stico de a?os"), looks_broken("¿Disnea? No."), looks_broken("ni�o")
    (True, False, True)
    """
    if not text.isascii():
        if "\ufffd" in text:
            return True
        if _suspect(text):
            broken = (line for line in text.split("\n") if _MOJIBAKE.search(line))
            if any(is_bad(line) for line in broken):
                return True
    return "?" in text and len(_QUESTIONED.findall(text)) >= _MOST_QUESTIONED
