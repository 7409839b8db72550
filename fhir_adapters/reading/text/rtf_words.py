"""What RTF's control words and symbol fonts stand for.

From the Rich Text Format Specification 1.9.1 (Microsoft, 2008).
"""

from __future__ import annotations

#: Destinations that are no text of the document. Those that a writer marks with ``\\*`` are
#: left out without being named here.
HIDDEN = frozenset(
    """
    annotation atnauthor atndate atnid author background bkmkend bkmkstart buptim category
    colortbl comment company creatim datafield do doccomm docvar falt fldinst filetbl
    fontemb fontfile fonttbl footer footerf footerl footerr footnote formfield ftncn ftnsep
    ftnsepc generator header headerf headerl headerr hlinkbase info keywords listname
    listoverridetable listtable manager nonesttables objalias objclass objdata objname
    objsect objtime operator pict pn pnseclvl pntxta pntxtb printim private revtbl revtim
    rxe shprslt sn sp staticval stylesheet subject sv svb tc template title txe upr
    userprops xe
    """.split()  # noqa: SIM905 - a list of 80 quoted words is harder to read
)
#: Destinations marked ``\\*`` that hold text of the document all the same.
SHOWN = frozenset({"shpinst", "shptxt", "shpgrp", "nesttableprops", "ud", "result"})
#: The bullet or the number that a paragraph of a list begins with.
BULLETS = frozenset({"listtext", "pntext"})
#: Destinations of a document's head. Where the brace that ends one is lost, the first word
#: of the body ends it, so that the body is not lost with it.
HEAD = frozenset({"fonttbl", "colortbl", "filetbl", "generator", "info", "pict", "listtable"})
#: Words of the body that cannot stand in a head, …
BODY = frozenset({"pard", "par", "viewkind", "sectd", "cell", "row", "trowd", "line"})
#: … and those that cannot in a style sheet, whose styles name a paragraph's format.
BODY_NOT_STYLE = frozenset({"viewkind", "sectd", "par", "cell", "row", "trowd"})
#: Words that begin a line: by how many line breaks.
BREAKS = {"par": 1, "line": 1, "lbr": 1, "column": 1, "sect": 2, "page": 2}
#: Words that stand for a character.
CHARACTERS = {
    "tab": "\t",
    "emdash": "—",
    "endash": "–",
    "emspace": "\u2003",
    "enspace": "\u2002",
    "qmspace": "\u2005",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
}
#: Escaped characters; the optional hyphen "\\-" is not seen within a line.
SYMBOLS = {"~": "\xa0", "_": "-", "{": "{", "}": "}", "\\": "\\"}
#: Character format that takes text out of the note, by what it is.
UNREAD = {"v": "hidden", "strike": "struck", "striked": "struck", "deleted": "struck"}
#: Code pages by font charset; others have the document's.
CHARSETS = {
    77: "mac_roman",
    161: "cp1253",
    162: "cp1254",
    186: "cp1257",
    204: "cp1251",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
#: Code pages by the word that sets them.
DOCUMENT_CHARSETS = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
#: Marks of the Wingdings fonts that word processors use as boxes and bullets.
WINGDINGS = {
    0x6F: "☐",
    0x71: "☐",
    0x72: "☐",
    0xA8: "☐",
    0x78: "☒",
    0xFD: "☒",
    0xFE: "☑",
    0xFB: "✗",
    0xFC: "✓",
    0x6C: "●",
    0x6E: "■",
    0x76: "❖",
    0x9F: "•",
    0xA7: "▪",
    0xD8: "➢",
    0xE0: "→",
}
#: Signs of the Symbol font that stand in clinical text.
SYMBOL = {
    0x61: "α",
    0x62: "β",
    0x67: "γ",
    0x6D: "µ",
    0xA3: "≤",
    0xB3: "≥",
    0xAB: "↔",
    0xAC: "←",
    0xAD: "↑",
    0xAE: "→",
    0xAF: "↓",
    0xB0: "°",
    0xB1: "±",
    0xB7: "•",
    0xBB: "≈",
    0xDE: "⇒",
}
