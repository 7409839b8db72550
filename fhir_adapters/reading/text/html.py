"""HTML, XHTML and CDA narrative → plain text with the lines a reader would see.

HTML is cut into tokens by one regular expression, because a note may hold anything: the
standard library's parser, and Beautiful Soup on top of it, take time quadratic in the
number of stray "<" (minutes for a megabyte), and a tree of a large page takes gigabytes.
Here every alternative either consumes what it matched or stops at the next "<", and end tags
are matched against a count of what is open, so time is linear and memory that of the text.
"""

from __future__ import annotations

import re
from collections import Counter

from fhir_adapters.reading.text import html_names as names
from fhir_adapters.reading.text.entities import unescape
from fhir_adapters.reading.text.flow import Due, Flow
from fhir_adapters.reading.text.html_style import Styles, attributes
from fhir_adapters.reading.text.page import Page
from fhir_adapters.reading.text.repair import well_formed

_TOKEN = re.compile(
    r"""
    <!--.*?(?:-->|\Z)                                       # a comment
  | <!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)                  # XHTML: text without escapes
  | <(?P<unseen>script|style|title|template|noscript|object|svg|datalist)\b
      [^<>]*(?<!/)> (?P<inside>.*?) (?:</(?P=unseen)\s*>|\Z)   # an element that is not shown
  | <(?P<end>/?)(?P<tag>[a-z][a-z0-9]*)(?P<attrs>
      (?: [^<>"']++ | "(?:[^"<]|<(?=[\s\d=]))*+" | '(?:[^'<]|<(?=[\s\d=]))*+' )*+
      | [^<>]* ) >                                          # a tag; its quotes may be odd
  | <[!?/][^<>]*>                                          # a declaration, or debris
  | <[a-z][\w.-]*:[a-z][^<>]*>                             # a tag of another vocabulary
  | (?P<text>[^<]+|<)                                      # a "<" that opens nothing is one
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t\n\r\f]+")
_LINE_END = re.compile(r"[ \t\f]*(?:\r\n|\n|\r)[ \t\f]*")
#: What a reader does not see within a word: soft hyphens and places to break a line.
_INVISIBLE = str.maketrans("", "", "\u00ad\u200b\u2060")
#: Open elements that are looked at for one that a start tag ends; deeper ones stay open.
_LOOK_BACK = 64
#: Any element that lays out lines; without one, line ends are the author's.
_HAS_LINES = re.compile(
    r"<(?:br|hr|p|div|li|item|tr|td|pre|h[1-6]|dt|dd|paragraph|section|article)\b", re.IGNORECASE
)


def html_to_text(markup: str, *, keep_lines: bool = False) -> str:
    r"""Return the text of HTML, XHTML or a CDA narrative block.

    Block elements and ``<br>`` become line breaks and headings stand alone. A row of a table
    is a line, its cells joined by " | "; an item of a list a line that opens with "- "; a
    term and its description "term: description". Checkboxes are "[x]" or "[ ]" before their
    label, fields have their value and lists of options what was chosen. White space
    collapses as in a browser (not within ``<pre>``). Scripts, styles, comments, and text that
    is hidden or struck through are left out.

    Parameters
    ----------
    markup
        A page or a fragment of one.
    keep_lines
        Keep the markup's own line ends as well: for fragments within plain text. They are
        kept in any case where no element lays out lines.

    Examples
    --------
    >>> html_to_text("<p>Niega:</p><ul><li>disnea<li>ortopnea</ul><script>x()</script>")
    'Niega:\n- disnea\n- ortopnea'
    >>> html_to_text("<table><tr><td>FEVI<td>38 %<td>&gt;50</table>")
    'FEVI | 38 % | >50'
    """
    reader = _Reader(keep_lines or not _HAS_LINES.search(markup))
    for token in _TOKEN.finditer(markup):
        if name := token["tag"]:
            if token["end"]:
                reader.end(name.lower())
            else:
                reader.start(name.lower(), token["attrs"])
        elif token["text"]:
            reader.write(unescape(token["text"]))
        elif token["cdata"]:
            reader.write(token["cdata"])
        elif (token["unseen"] or "").lower() == "style":
            reader.styles.add(token["inside"])
    return well_formed(reader.page.text)


class _Reader:
    """Follows which elements are open, and writes what is shown of them to a page."""

    def __init__(self, keep_lines: bool) -> None:
        self.page = Page()
        self.styles = Styles()
        self._keep_lines = keep_lines
        # Open elements: name, by how much it changes ``_unread``, whether it was begun.
        self._open: list[tuple[str, int, bool]] = []
        self._count: Counter[str] = Counter()
        self._unread = 0  # above 0: within something that is not shown
        self._exact = 0  # open elements that keep white space
        self._labels: dict[str, tuple[Flow, int]] = {}  # "for" → where the label's text begins
        self._label: tuple[Flow, int] | None = None

    def start(self, name: str, tag: str) -> None:
        """Read a start tag."""
        if self._count["head"] and name not in names.IN_HEAD:
            self.end("head")
        attrs = attributes(tag) if tag.strip(" /\n\r\t") else {}
        self._end_implied(name)
        unread = int(name == "head" or self.styles.unread(name, attrs))
        if name in names.VOID:
            if not self._unread and not unread:
                self._void(name, attrs)
            return
        begun = not (self._unread or unread)
        if name == "select":
            unread = 1
        elif name == "option" and self._count["select"] and "selected" in attrs:
            unread = -1
        if begun:
            self._begin(name, attrs)
        self._open.append((name, unread, begun))
        self._count[name] += 1
        self._unread += unread
        if name == "option" and not self._unread:
            self.page.flow.write(" ")
        if tag.endswith("/"):
            self._pop()

    def end(self, name: str) -> None:
        """Read an end tag: what it leaves open within its element ends too."""
        if name in names.VOID:
            if name == "br":  # "</br>" is read as "<br>"
                self._void(name, {})
            return
        if not self._count[name]:
            return
        while self._pop() != name:
            pass

    def write(self, text: str) -> None:
        """Append the text between two tags."""
        if self._unread:
            return
        if self.page.tables and text.strip():
            self.page.leave_row()
        flow, text = self.page.flow, text.translate(_INVISIBLE)
        if self._exact:
            flow.write(text.replace("\r\n", "\n"), exact=True)
        elif self._keep_lines:
            self._write_lines(text)
        else:
            flow.write(_SPACES.sub(" ", text))

    def _write_lines(self, text: str) -> None:
        first, *others = _LINE_END.split(text)
        flow = self.page.flow
        flow.write(_SPACES.sub(" ", first))
        breaks = 0
        for line in others:
            breaks += 1
            if line:
                flow.block(breaks)
                flow.write(_SPACES.sub(" ", line))
                breaks = 0
        if breaks:
            flow.block(breaks)

    def _end_implied(self, name: str) -> None:
        """End the elements that a start tag ends without their end tags."""
        rules = [names.ENDED_BY[name]] if name in names.ENDED_BY else []
        if self._count["p"] and (name in names.BLOCKS or name in names.PARAGRAPHS):
            rules.insert(0, names.PARAGRAPH)
        for ended, containers in rules:
            found = 0
            for depth, (other, _, _) in enumerate(reversed(self._open[-_LOOK_BACK:]), 1):
                if other in ended:
                    found = depth
                elif other in containers:
                    break
            for _ in range(found):
                self._pop()

    def _pop(self) -> str:
        name, unread, begun = self._open.pop()
        self._count[name] -= 1
        self._unread -= unread
        if begun:
            self._finish(name)
        if name in names.FIELDS and not self._unread:
            self.page.flow.write(" ")
        return name

    def _void(self, name: str, attrs: dict[str, str]) -> None:
        if name in ("input", "hr"):
            self.page.leave_row()
        flow = self.page.flow
        if name == "br":
            flow.line_break()
        elif name == "hr":
            flow.block(2)
        elif name == "input":
            kind = attrs.get("type", "text").lower()
            if kind in names.BOXES:
                self._box("checked" in attrs, attrs)
            elif kind not in names.BUTTONS and attrs.get("value"):
                self._field(unescape(attrs["value"]))

    def _field(self, value: str) -> None:
        flow = self.page.flow
        flow.write(" ")
        flow.write(value)
        flow.write(" ")

    def _box(self, checked: bool, attrs: dict[str, str]) -> None:
        flow = self.page.flow
        label = self._label or self._labels.get(attrs.get("id", ""))
        flow.box(checked, label[1] if label is not None and label[0] is flow else None)

    def _begin(self, name: str, attrs: dict[str, str]) -> None:
        page = self.page
        if name not in names.TABULAR:
            page.leave_row()
        if name in names.CELLS:
            if not page.tables:
                page.begin_table()
            span = (attrs.get("colspan", ""), attrs.get("rowspan", ""))
            columns, rows = (int(text) if text.isdecimal() else 1 for text in span)
            page.tables[-1].begin_cell(min(columns, 999), min(rows, 999))
        elif name == "tr" and page.tables:
            page.tables[-1].end_row()
        elif name == "table":
            page.begin_table()
        elif name in names.ITEMS:
            page.structure()
            page.flow.item()
        elif name == "dt":
            page.flow.end_label()
            page.flow.block()
        elif name == "dd":
            if page.flow.due is Due.NOTHING:
                page.flow.block()
        elif name in names.PARAGRAPHS:
            if name in names.HEADINGS:
                page.structure()
            page.flow.block(2)
        elif name in names.BLOCKS:
            page.flow.block()
        elif name in names.FIELDS:
            page.flow.write(" ")
        if name in ("pre", "textarea"):
            self._exact += 1
        elif name == "label":
            self._label = (page.flow, len(page.flow))
            if "for" in attrs:
                self._labels[attrs["for"]] = self._label
        if attrs.get("role", "") in names.BOXES and "aria-checked" in attrs:
            self._box(attrs["aria-checked"].lower() == "true", attrs)

    def _finish(self, name: str) -> None:
        page = self.page
        if name in names.CELLS:
            if page.tables and page.tables[-1].cells:
                page.tables[-1].open = False
        elif name == "tr" and page.tables:
            page.tables[-1].end_row()
        elif name == "table":
            page.end_table()
            page.flow.block(2)
        elif name == "dt":
            page.flow.due = Due.LABEL
        elif name == "dd":
            page.flow.end_label()
            page.flow.due = Due.ANSWER
        elif name == "dl":
            page.flow.end_label()
            page.flow.block()
        elif name in names.PARAGRAPHS:
            page.flow.block(2)
        elif name in names.BLOCKS:
            page.flow.block()
        if name in ("pre", "textarea"):
            self._exact -= 1
        elif name == "label":
            self._label = None
