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
_ANY = re.compile(rf"(?:/|\|)\s?{_MARKED}|{_MARKED}\s?(?:/|\|)", re.IGNORECASE)
_SIGNS = "_*>< "


def read_choices(page: Page) -> None:
    """Add the items of lines with printed choices, where some of the note are marked."""
    text = page.text
    signed = "_" in text or "*" in text or (">" in text and "<" in text)
    if not signed or not _ANY.search(text):
        return
    for line in page.lines:
        opening = 0
        for pair in _PAIR.finditer(line.text):
            place = page.label(line, opening, pair.start())
            opening = pair.end()
            chosen = [pair[name] for name in ("first", "second") if pair[name][0] in _SIGNS]
            verdict = layout.UNKNOWN
            if len(chosen) == 1:
                verdict = page.answers.whole(chosen[0].strip(_SIGNS)) or layout.UNKNOWN
            elif chosen:
                verdict = layout.UNCERTAIN
            start, end = pair.span("pair")
            page.add(place, (line.start + start, line.start + end), verdict)
