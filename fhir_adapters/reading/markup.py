"""HTML, XHTML and RTF → plain text with the line breaks a reader would see.

HTML is cut into tokens by one regular expression, because a note may hold anything: the
standard library's parser, and Beautiful Soup on top of it, take time quadratic in the
number of stray "<" (minutes for a megabyte), and a tree of a large page takes gigabytes.
Here every alternative either consumes what it matched or stops at the next "<", so time is
linear and memory that of the text.
"""

from __future__ import annotations

import re
from html import unescape

from striprtf.striprtf import rtf_to_text as strip_rtf

from fhir_adapters.reading.defects import Defect, Unusable

_TOKEN = re.compile(
    r"""
    <!--.*?(?:-->|\Z)                                       # a comment
  | <!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)                  # XHTML: text without escapes
  | <(?P<unseen>script|style|title|template|noscript|object|svg)\b
      [^<>]*(?<!/)> .*? (?:</(?P=unseen)\s*>|\Z)            # an element that is not shown
  | <(?P<end>/?)(?P<tag>[a-z][a-z0-9]*)
      (?: (?:[^<>"']++ | "[^"<]*+" | '[^'<]*+')*+ > | [^<>]*> )   # a tag; its quotes may be odd
  | <[!?/][^<>]*>                                          # a declaration, or debris
  | (?P<text>[^<]+|<)                                      # a "<" that opens nothing is one
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_LINK_FIELD = re.compile(r"\\fldinst", re.IGNORECASE)
# Elements that begin and end a line (the rendering section of the HTML standard,
# https://html.spec.whatwg.org/multipage/rendering.html) …
_BLOCKS = frozenset(
    """
    address article aside body caption center dd details dialog dir div dt fieldset
    figcaption figure footer form header hgroup legend li main menu nav section summary tr
    """.split()  # noqa: SIM905 - a list of 30 quoted words is harder to read
)
# … and those with an empty line around them.
_PARAGRAPHS = frozenset({"blockquote", "dl", "hr", "ol", "p", "pre", "table", "ul"}) | {
    f"h{level}" for level in range(1, 7)
}
_CELLS = frozenset({"td", "th"})
_SPACES = re.compile(r"[ \t\n\r\f]+")
#: Line breaks that make an empty line; more are not kept.
_MOST_BREAKS = 2


def html_to_text(markup: str) -> str:
    r"""Return the text of HTML or XHTML.

    Block elements and ``<br>`` become line breaks, cells are set apart by a tab, white
    space collapses as in a browser (not within ``<pre>``); scripts, styles and comments
    are dropped.

    Examples
    --------
    >>> html_to_text("<div>Disnea<br/>a esfuerzos.<script>x()</script></div>")
    'Disnea\na esfuerzos.'
    """
    page = _Page()
    for token in _TOKEN.finditer(markup):
        if token["tag"]:
            page.tag(token["tag"].lower(), closing=bool(token["end"]))
        elif token["text"]:
            page.write(unescape(token["text"]))
        elif token["cdata"]:
            page.write(token["cdata"])
    return page.text


class _Page:
    """The text so far; line breaks wait until the next text shows how many are needed."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._breaks = 0  # line breaks due before the next text …
        self._tab = False  # … or a tab
        self._preformatted = 0

    @property
    def text(self) -> str:
        """The text, without white space at either end."""
        return "".join(self._pieces).strip()

    def tag(self, name: str, *, closing: bool) -> None:
        """Request a tag's line breaks: a block's own come once, each ``<br>`` adds one."""
        if name == "br":
            self._breaks += 1
        elif name in _PARAGRAPHS:
            self._breaks = max(self._breaks, _MOST_BREAKS)
        elif name in _BLOCKS:
            self._breaks = max(self._breaks, 1)
        elif name in _CELLS and not closing:
            self._tab = True
        if name == "pre":
            self._preformatted = max(0, self._preformatted + (-1 if closing else 1))

    def write(self, text: str) -> None:
        """Append the text between two tags."""
        if not self._preformatted:
            text = _SPACES.sub(" ", text)
        if self._breaks or self._tab:
            if not text.strip():
                return
            if not self._preformatted:
                text = text.lstrip(" ")
            if self._pieces:
                self._pieces[-1] = self._pieces[-1].rstrip(" ")
            self._pieces.append("\n" * min(self._breaks, _MOST_BREAKS) or "\t")
            self._breaks, self._tab = 0, False
        self._pieces.append(text)


def rtf_to_text(data: bytes) -> str:
    """Return the text of an RTF document.

    RTF is ASCII with escapes; where a system wrote bytes past it, they are Windows-1252.
    Of a link its text is kept, its address is not.

    Raises
    ------
    Unusable
        E238: the parser fails.
    """
    # striprtf looks for links with a pattern that swallows the text between two of them on
    # one line, and takes cubic time on unfinished ones. Under the name of another hidden
    # destination it does not see them.
    source = _LINK_FIELD.sub(r"\\datafield", data.decode("cp1252", "replace"))
    try:
        text: str = strip_rtf(source, errors="replace")
    except Exception:  # noqa: BLE001 - the library documents none; what it cannot read is quarantined
        raise Unusable(Defect.BAD_MARKUP) from None
    return text
