"""HTML, XHTML and RTF → plain text with the line breaks a reader would see.

HTML is read with the standard library's event parser: what is needed are events in
document order, and it gives them in linear time and memory, where a tree (Beautiful Soup
over this same parser) of a note as long as the limit allows takes gigabytes.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from striprtf.striprtf import rtf_to_text as strip_rtf

from fhir_adapters.reading.defects import Defect, Unusable

_UNSEEN = frozenset({"script", "style", "title", "template", "noscript", "object", "svg"})
# Elements that begin and end a line (the rendering section of the HTML standard,
# https://html.spec.whatwg.org/multipage/rendering.html) …
_BLOCKS = frozenset(
    """
    address article aside body br caption center dd details dialog dir div dt fieldset
    figcaption figure footer form header hgroup legend li main menu nav section summary tr
    """.split()  # noqa: SIM905 - a list of 30 quoted words is harder to read
)
# … and those with an empty line around them.
_PARAGRAPHS = frozenset({"blockquote", "dl", "hr", "ol", "p", "pre", "table", "ul"}) | {
    f"h{level}" for level in range(1, 7)
}
_CELLS = frozenset({"td", "th"})
_SPACES = re.compile(r"[ \t\n\r\f]+")
_AROUND_BREAK = re.compile(r"[ \t]*\n[ \t]*")
_BLANK_LINES = re.compile(r"\n{3,}")
_CDATA = "CDATA["


def html_to_text(markup: str) -> str:
    r"""Return the text of HTML or XHTML.

    Block elements and ``<br>`` become line breaks, cells are set apart by a tab, white
    space collapses as in a browser (not within ``<pre>``); scripts, styles and comments go.

    Raises
    ------
    Unusable
        E238: the parser gives up.

    Examples
    --------
    >>> html_to_text("<div>Disnea<br/>a esfuerzos.<script>x()</script></div>")
    'Disnea\na esfuerzos.'
    """
    reader = _TextReader()
    try:
        reader.feed(markup)
        reader.close()
    except (AssertionError, RecursionError, ValueError):  # what html.parser raises on ruins
        raise Unusable(Defect.BAD_MARKUP) from None
    text = _AROUND_BREAK.sub("\n", "".join(reader.pieces))
    return _BLANK_LINES.sub("\n\n", text).strip()


class _TextReader(HTMLParser):
    """Collects text and line breaks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen: str | None = None  # the element whose content is passed over …
        self._depth = 0  # … and how often it is open within itself
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unseen is not None:
            self._depth += tag == self._unseen
        elif tag in _UNSEEN:
            self._unseen, self._depth = tag, 1
        else:
            self._preformatted += tag == "pre"
            self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unseen is None:
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unseen is not None:
            self._depth -= tag == self._unseen
            if self._depth == 0:
                self._unseen = None
            return
        if tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        if tag not in _CELLS:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._unseen is None:
            self.pieces.append(data if self._preformatted else _SPACES.sub(" ", data))

    def unknown_decl(self, data: str) -> None:
        if data.startswith(_CDATA):
            self.handle_data(data.removeprefix(_CDATA))

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.pieces.append("\n\n")
        elif tag in _BLOCKS:
            self.pieces.append("\n")
        elif tag in _CELLS:
            self.pieces.append("\t")


def rtf_to_text(data: bytes) -> str:
    """Return the text of an RTF document.

    RTF is ASCII with escapes; where a system wrote bytes past it, they are Windows-1252.

    Raises
    ------
    Unusable
        E238: the parser gives up.
    """
    try:
        text: str = strip_rtf(data.decode("cp1252", "replace"), errors="replace")
    except Exception:  # noqa: BLE001 - the library documents none; what it cannot read is quarantined
        raise Unusable(Defect.BAD_MARKUP) from None
    return text
