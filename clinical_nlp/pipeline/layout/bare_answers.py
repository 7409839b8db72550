"""Answers with nothing but a blank before them: 'Ahogo 0', 'DM2 [No]', 'tos N'."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.pipeline import document_layout as layout
from clinical_nlp.pipeline.document_layout import Span
from clinical_nlp.pipeline.layout.lines import Line
from clinical_nlp.pipeline.layout.page import Page
from clinical_nlp.pipeline.layout.parts import OPENS, TAIL, Part

_BARE = re.compile(
    r"(?:(?P<sign>[-–—−+]{1,4}|±)|(?P<number>\d)(?![\w/,.:])|(?P<letter>[NSnsXx])(?!\w)"
    r"|(?P<word>no|s[ií]|non|ez|bai|poco|algo|leve|mucho)(?!\w)"
    r"|(?P<closed>[(\[][^()\[\]]{1,25}[)\]]|\d\s?/\s?\d|[1-9]\+|[+]{1,4}\s?/\s?[+]{1,4}))",
    re.IGNORECASE,
)
_GRADED = frozenset(("tipo", "grado", "clase", "estadio", "nyha", "cf", "escala"))
WEAK = ("sign", "number", "letter")
_MOST_BARE_WORDS = 6


@dataclass(frozen=True, slots=True)
class Bare:
    """An answer with nothing but a blank before it; ``kind`` is its group in ``_BARE``."""

    label: Span | None
    answer: Span
    verdict: str
    kind: str
    text: str


def read_bare(page: Page, line: Line, part: Part, cues: frozenset[str]) -> Bare | None:
    """Read a label and an answer with nothing but a blank between."""
    start = part.start
    for sign in OPENS.finditer(line.text, part.start, part.end):
        start = sign.end()
    text = line.text[start : part.end].rstrip(" .:")
    for blank in re.finditer(r"(?<=\S)\s+", text):
        match = _BARE.match(text, blank.end())
        if match is None or not TAIL.match(text, match.end()):
            continue
        verdict = page.answers.whole(match.group())
        if match["letter"] in ("X", "x"):
            verdict = layout.AFFIRMED
        words = _words(text[: blank.start()])
        if verdict == layout.UNKNOWN and text[: blank.start()].endswith("?"):
            return None  # 'IC? (no explorado)' is a doubt
        if verdict is None or not words or not cues.isdisjoint(words):
            return None
        kind = str(match.lastgroup)
        if len(words) > _MOST_BARE_WORDS or (kind in WEAK and not _plain(words)):
            return None
        place = page.label(line, start, start + blank.start())
        span = line.start + start + blank.end(), line.start + start + match.end()
        return Bare(place, span, verdict, kind, match.group())
    return None


def _plain(words: Sequence[str]) -> bool:
    """Whether words may have a sign or figure as their answer: no dose, no grade."""
    return not any(word[0].isdigit() for word in words[1:]) and words[-1] not in _GRADED


def credible(weak: Sequence[Bare]) -> Sequence[Bare]:
    """Leave out bare signs and figures that are no answers.

    'tos 0' is one; 'Diabetes tipo 2' is none, and 'disnea -' may be a dash: figures need a
    zero among them, dashes and words another answer beside them ('morfina no' among drugs is
    prose, which the assertion rules read).
    """
    zero = any(bare.text == "0" for bare in weak)
    return [
        bare
        for bare in weak
        if (zero if bare.kind == "number" else len(weak) > 1 or bare.text in ("±", "N"))
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", normalise_word(text))
