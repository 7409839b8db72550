"""Lists of findings of which some are marked: 'disnea X' over 'ortopnea' over 'edemas X'."""

from __future__ import annotations

import re

from clinical_nlp.pipeline import document_layout as layout
from clinical_nlp.pipeline.layout.lines import Line
from clinical_nlp.pipeline.layout.page import Page

_ROW = re.compile(
    r"\s*(?P<before>[xX✓✔]\s+)?(?:\d{1,2}[.)]\s*)?(?P<label>[^\W\d_][^:;.|=\[\]]{2,40}?)\s*:?"
    r"(?P<after>\s+[xX✓✔])?\s*"
)
_MARKED = re.compile(r"(?m)^\s*[xX✓✔]\s|\s[xX✓✔]\s*$")
# What a text without cannot have such a mark; much faster to find.
_ALONE = re.compile(r"[xX✓✔](?<!\S[xX✓✔])(?!\S)")
_LEAST_ROWS = 3
_MOST_WORDS = 5


def read_marks(page: Page) -> None:
    """Add the items of lists with a cross at some of their lines; the others are denied."""
    if not _ALONE.search(page.text) or not _MARKED.search(page.text):
        return
    run: list[tuple[Line, re.Match[str]]] = []
    for line in [*page.lines, Line(0, "")]:
        row = _ROW.fullmatch(line.text) if len(line.text) <= 60 else None
        if row and len(row["label"].split()) <= _MOST_WORDS and not page.in_table(line):
            run.append((line, row))
            continue
        _add(page, run)
        run = []


def _add(page: Page, run: list[tuple[Line, re.Match[str]]]) -> None:
    marked = [bool(row["before"] or row["after"]) for _, row in run]
    if len(run) < _LEAST_ROWS or not any(marked):
        return
    while run and not marked[0] and run[0][1].group().rstrip().endswith(":"):
        run, marked = run[1:], marked[1:]  # the list's heading
    for (line, row), is_marked in zip(run, marked, strict=True):
        verdict = layout.AFFIRMED if is_marked else layout.NEGATED
        page.add(page.label(line, *row.span("label")), None, verdict)
