"""Diaries: a line, or a part of one, a day or week; the last one is today's."""

from __future__ import annotations

import re
from itertools import pairwise

from clinical_nlp.pipeline.layout.lines import Line
from clinical_nlp.pipeline.layout.page import Page

# How a line of a diary opens, in each language: 'Semana 2:', 'Lunes:', 'vie 19  ', '12/03:'.
_DAY = (
    r"(?:(?:semana|sem|setmana|astea|d[ií]a|eguna|visita|mes|turno|control)\.?\s*\d+"
    r"|(?:lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo|dilluns|dimarts|dimecres"
    r"|dijous|divendres|dissabte|diumenge|luns|m[eé]rcores|xoves|venres|astelehena|asteartea"
    r"|asteazkena|osteguna|ostirala|larunbata|igandea|(?:lun?|mar?|mi[eé]?|jue?|vie?|s[aá]b?|dom?)\.?)"
    r"(?:\s\d{1,2})?|\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?)\s*(?:[:–→)]|-\s"
)
_PERIOD = re.compile(rf"\s*(?:[-*•]\s*)?{_DAY}|\s{{2}})", re.IGNORECASE)
# The same inside a line, where a sign parts the days.
_WITHIN = re.compile(rf"(?:\A|[.;,|/·])\s*{_DAY})", re.IGNORECASE)
_LEAST_LINES = 3
_LONGEST_LINE = 100


def mark_past_lines(page: Page) -> None:
    """Mark the lines of a diary before its last one as past; longer lines are re-entries."""
    _mark_within_lines(page)
    run: list[Line] = []
    for line in [*page.lines, Line(0, "")]:
        short = len(line.text) <= _LONGEST_LINE
        if short and _PERIOD.match(line.text) and not page.in_table(line):
            run.append(line)
        else:
            if len(run) >= _LEAST_LINES:
                page.past.extend((day.start, day.end) for day in run[:-1])
            run = []


def _mark_within_lines(page: Page) -> None:
    """Mark the days of a diary in one line before its last: 'Lunes: tos; martes: no'."""
    for line in page.lines:
        if line.text.count(":") + line.text.count("-") + line.text.count("–") < _LEAST_LINES:
            continue
        starts = [day.start() for day in _WITHIN.finditer(line.text)]
        if len(starts) >= _LEAST_LINES and not page.in_table(line):
            page.past.extend(
                (line.start + start, line.start + end) for start, end in pairwise(starts)
            )
