"""RTF → plain text with the lines a reader would see.

Of the libraries for Python only striprtf is at hand, and it knows neither text that is
struck through or hidden, nor nested tables, bullets and pairs of surrogates; an unmatched
"}" ends it, and it takes cubic time on unfinished links. So RTF is read here: one pass over
its tokens, with the format of each open group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fhir_adapters.reading.text import rtf_words as words
from fhir_adapters.reading.text.charset import decode_run
from fhir_adapters.reading.text.page import Page
from fhir_adapters.reading.text.repair import well_formed
from fhir_adapters.reading.text.rtf_state import Check, Font, Format

_TOKEN = re.compile(
    r"""
    \\(?P<word>[A-Za-z]{1,32})(?P<number>-?[0-9]{1,10})?[ ]?
  | \\'(?P<hex>[0-9A-Fa-f]{2})
  | \\(?P<symbol>[^A-Za-z])
  | (?P<brace>[{}])
  | [\r\n]+ | \\
  | (?P<text>[^\\{}\r\n]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_START = re.compile(r"[\s\0\ufeff]*\{?\s*\\{1,2}rtf(?![a-z])")
_DOUBLED = re.compile(r"[\s\0\ufeff]*\{?\s*\\\\rtf")
#: Nested tables that are followed.
_MOST_LEVELS = 8
#: Private characters in which Word keeps letters of a symbol font.
_PRIVATE = range(0xF020, 0xF100)


def is_rtf(text: str) -> bool:
    """Return whether a text is RTF, whatever it is called."""
    return bool(_START.match(text[:200]))


def rtf_to_text(data: bytes) -> str:
    r"""Return the text of an RTF document.

    Paragraphs are lines, a row of a table is a line with its cells joined by " | ", a bullet
    or a number opens a line with "- ", a form's checkbox is "[x]" or "[ ]". Text that is
    hidden, struck through or deleted is left out. Bytes are read as UTF-8 where they are
    valid as such, else in the document's code page. A "}" too many is passed over.

    Examples
    --------
    >>> rtf_to_text(rb"{\rtf1\ansi Sin {\strike disnea} fiebre, ni\'f1o.\par FC 80}")
    'Sin  fiebre, niño.\nFC 80'
    """
    reader = _Reader()
    source = data.decode("latin-1")  # one character a byte
    if _DOUBLED.match(source[:200]):  # escaped as a JSON string once too often
        source = source.replace("\\\\", "\\").replace("\\r\\n", "\n").replace('\\"', '"')
    place = 0
    while match := _TOKEN.match(source, place):
        place = match.end()
        if match["word"] == "bin":  # so many bytes of a picture follow
            place += max(0, int(match["number"] or 0))
        else:
            reader.read(match)
    return reader.finish()


@dataclass(slots=True)
class _Reader:
    page: Page = field(default_factory=Page)
    format: Format = field(default_factory=Format)
    groups: list[Format] = field(default_factory=list)
    fonts: dict[int, Font] = field(default_factory=dict)
    codec: str = "cp1252"
    default_font: int | None = None
    pending: bytearray = field(default_factory=bytearray)  # text whose charset is not known yet
    skip: int = 0  # characters still to be skipped after a "\u"
    starred: bool = False
    level: int = 0  # of the table that the paragraph is in
    check: Check | None = None

    def read(self, token: re.Match[str]) -> None:
        """Read one token."""
        if text := token["text"]:
            self._text(text.encode("latin-1"))
        elif token["hex"]:
            self._text(bytes([int(token["hex"], 16)]))
        elif word := token["word"]:
            self._flush()
            self.skip = 0
            number = None if token["number"] is None else int(token["number"])
            starred, self.starred = self.starred, False
            self._word(word, number, starred)
        elif brace := token["brace"]:
            self._flush()
            self.skip = 0
            self._brace(brace)
        elif symbol := token["symbol"]:
            self._flush()
            self._symbol(symbol)

    def finish(self) -> str:
        """Return the text."""
        self._flush()
        return well_formed(self.page.text)

    def _text(self, data: bytes) -> None:
        if self.skip:
            skipped = min(self.skip, len(data))
            self.skip -= skipped
            data = data[skipped:]
        if self.format.destination == "fonttbl" and self.format.font is not None:
            self.fonts.setdefault(self.format.font, Font()).name += data.decode("latin-1")
        elif not self.format.unread:
            self.pending += data

    def _flush(self) -> None:
        """Decode and write the bytes that were read in one format."""
        if not self.pending:
            return
        data = bytes(self.pending)
        self.pending.clear()
        font = self.fonts.get(-1 if self.format.font is None else self.format.font, Font())
        if font.signs is not None:
            text = "".join(font.signs.get(byte, chr(byte)) for byte in data)
        else:
            text = decode_run(data, words.CHARSETS.get(font.charset or 0, self.codec))
        self._write(text)

    def _write(self, text: str) -> None:
        if not self.format.unread:
            self._follow_level()
            self.page.flow.write(text, exact=True)

    def _brace(self, brace: str) -> None:
        self.starred = False
        if brace == "{":
            self.groups.append(self.format)
            self.format = self.format.copy()
        elif self.groups:
            closed, self.format = self.format, self.groups.pop()
            if closed.destination == "fldinst" != self.format.destination:
                self._end_field()

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self.starred = True
        elif symbol in "\r\n":
            self._word("par", None, starred=False)
        elif symbol in words.SYMBOLS:
            self._write(words.SYMBOLS[symbol])

    def _word(self, word: str, number: int | None, starred: bool) -> None:
        state = self.format
        if state.destination and self._body_begins(word):
            state.destination = ""
        if word in words.BULLETS and not state.unread:
            self._follow_level()
            self.page.structure()
            self.page.flow.item()
            state.destination = word
        elif word == "ud":
            state.destination = ""
        elif word in words.HIDDEN or (starred and word not in words.SHOWN):
            state.destination = state.destination or word
        elif state.destination:
            self._hidden_word(word, number)
        elif word == "u":
            self._unicode(number)
        elif word in words.CHARACTERS:
            self._write(words.CHARACTERS[word])
        elif word in words.UNREAD:
            setattr(state, words.UNREAD[word], number != 0)
        elif word in words.BREAKS:
            if not state.unread:
                self._follow_level()
                self.page.flow.line_break(words.BREAKS[word])
        else:
            self._table_word(word, number)
            self._format_word(word, number)

    def _body_begins(self, word: str) -> bool:
        """Return whether a word shows that a head's closing brace is missing."""
        if self.format.destination == "stylesheet":
            return word in words.BODY_NOT_STYLE
        return self.format.destination in words.HEAD and word in words.BODY

    def _hidden_word(self, word: str, number: int | None) -> None:
        """Read a word of a hidden destination: fonts, and the fields of forms."""
        if self.format.destination == "fonttbl":
            if word == "f":
                self.format.font = number or 0
                self.fonts[self.format.font] = Font()
            elif word == "fcharset" and self.format.font is not None:
                self.fonts.setdefault(self.format.font, Font()).charset = number
        elif word == "fftype":
            self.check = Check(number or 0)
        elif self.check is not None and word == "ffres":
            self.check.result = number
        elif self.check is not None and word == "ffdefres":
            self.check.default = number or 0

    def _end_field(self) -> None:
        """Write the checkbox of a form field that has been described."""
        check, self.check = self.check, None
        if check is not None and check.kind == 1 and not self.format.unread:
            self._follow_level()
            # 25 is "not answered": the default counts.
            result = check.default if check.result in (None, 25) else check.result
            self.page.flow.box(result == 1)

    def _unicode(self, number: int | None) -> None:
        self.skip = self.format.skip
        unit = (number or 0) + (0x10000 if (number or 0) < 0 else 0)
        if number is None or not 0 < unit <= 0x10FFFF:
            return
        if unit in _PRIVATE:
            font = self.fonts.get(-1 if self.format.font is None else self.format.font, Font())
            signs = font.signs or words.WINGDINGS
            self._write(signs.get(unit - 0xF000, chr(unit)))
        else:
            self._write(chr(unit))

    def _format_word(self, word: str, number: int | None) -> None:
        state = self.format
        if word == "plain":
            state.hidden = state.struck = False
            state.font = self.default_font
        elif word == "f":
            state.font = number or 0
        elif word == "uc":
            state.skip = min(max(number or 0, 0), 8)
        elif word == "deff":
            self.default_font = state.font = number
        elif word == "ansicpg" and number:
            self.codec = f"cp{number}" if number != 65001 else "utf-8"
        elif word in words.DOCUMENT_CHARSETS:
            self.codec = words.DOCUMENT_CHARSETS[word]

    def _table_word(self, word: str, number: int | None) -> None:
        if word == "pard":
            self.level = 0
        elif word in ("trowd", "intbl"):
            self.level = max(self.level, 1)
        elif word == "itap":
            self.level = min(max(number or 0, 0), _MOST_LEVELS)
        elif word in ("cell", "nestcell"):
            self._end_cell(1 if word == "cell" else max(self.level, 2))
        elif word in ("row", "nestrow"):
            level = 1 if word == "row" else max(self.level, 2)
            self._leave(level)
            if len(self.page.tables) == level:
                self.page.tables[-1].end_row()
            self.level = level - 1 if word == "row" else level

    def _end_cell(self, level: int) -> None:
        self._leave(level)
        if len(self.page.tables) < level:
            # A row that was not announced: its first cell is the line under way.
            first = self.page.flow.take_line()
            while len(self.page.tables) < level and self.page.begin_table():
                self.page.tables[-1].begin_cell()
            self.page.tables[-1].cells[-1].flow = first
        table = self.page.tables[-1]
        if not table.open:
            table.begin_cell()
        table.open = False

    def _leave(self, level: int) -> None:
        while len(self.page.tables) > level:
            self.page.end_table()

    def _follow_level(self) -> None:
        """Open or close tables up to the paragraph's level, before text is written to it."""
        tables = self.page.tables
        if len(tables) == self.level and (not tables or tables[-1].open):
            return
        if self.level < len(tables) and not (self.level == 0 and tables[0].cells):
            self._leave(self.level)
        if tables and not tables[-1].open and len(tables) < self.level:
            tables[-1].begin_cell()
        while len(tables) < self.level and self.page.begin_table():
            tables[-1].begin_cell()
        if tables and not tables[-1].open:
            tables[-1].begin_cell()
