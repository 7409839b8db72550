"""Printed choices of which one is marked: 'Síncope   si / __NO__', 'HTA: *SÍ* / no'."""

from __future__ import annotations

import re

from clinical_nlp.pipeline import document_layout as layout
from clinical_nlp.pipeline.layout.page import Page

_WORD = r"(?:s[ií]|non?|bai|ez)"
_MARKED = rf"(?:_{{1,4}}\s?{_WORD}\s?_{{1,4}}|\*{{1,2}}\s?{_WORD}\s?\*{{1,2}}|>\s?{_WORD}\s?<)"
_PAIR = re.compile(
    rf"(?P<gap>:|[.…]{{2,}}|\?|\s{{2,}})\s*(?<!\w)(?P<pair>(?P<first>{_MARKED}|{_WORD})\s?[/|]\s?"
    rf"(?P<second>{_MARKED}|{_WORD}))(?!\w)",
    re.IGNORECASE,
)
# Without a bar between them one of the two is marked: 'Síncope: _Sí_ No'.
_BESIDE = re.compile(
    rf"(?P<gap>:|[.…]{{2,}}|\?|\s)\s*(?<!\w)(?P<pair>(?P<first>{_MARKED})\s{{1,4}}(?P<second>{_WORD})"
    rf"|(?P<third>{_WORD})\s{{1,4}}(?P<fourth>{_MARKED}))(?!\w)",
    re.IGNORECASE,
)
_ANY = re.compile(rf"(?:/|\|)\s?{_MARKED}|{_MARKED}\s?(?:/|\|)", re.IGNORECASE)
_ANY_BESIDE = re.compile(rf"{_MARKED}\s{{1,4}}{_WORD}|{_WORD}\s{{1,4}}{_MARKED}", re.IGNORECASE)
_SIGNS = "_*>< "
_NO_WORDS = ("gap", "pair")


def read_choices(page: Page) -> None:
    """Add the items of lines with printed choices, where some of the note are marked."""
    text = page.text
    signed = "_" in text or "*" in text or (">" in text and "<" in text)
    if not signed:
        return
    for pattern, hint in ((_PAIR, _ANY), (_BESIDE, _ANY_BESIDE)):
        if hint.search(text):
            _read(page, pattern)


def _read(page: Page, pattern: re.Pattern[str]) -> None:
    """Add the items of lines with choices of one pattern."""
    for line in page.lines:
        opening = 0
        for pair in pattern.finditer(line.text):
            place = page.label(line, opening, pair.start())
            opening = pair.end()
            words = (word for name, word in pair.groupdict().items() if name not in _NO_WORDS)
            chosen = [word for word in words if word and word[0] in _SIGNS]
            verdict = layout.UNKNOWN
            if len(chosen) == 1:
                verdict = page.answers.whole(chosen[0].strip(_SIGNS)) or layout.UNKNOWN
            elif chosen:
                verdict = layout.UNCERTAIN
            start, end = pair.span("pair")
            page.add(place, (line.start + start, line.start + end), verdict)
