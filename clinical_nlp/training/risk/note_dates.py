"""Dates written in notes, to be held against the day on which a note says it was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any

from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.records import NoteFindings
from clinical_nlp.training.risk.leakage_limits import leakage_limits

_DATE = re.compile(
    r"(?<![\d/.-])(?:(?P<d>\d{1,2})([/.-])(?P<m>\d{1,2})\2(?P<y>\d{4}|\d{2})"
    r"|(?P<y2>\d{4})-(?P<m2>\d{2})-(?P<d2>\d{2}))(?![\d/])"
)


@cache
def _planned() -> tuple[re.Pattern[str], dict[str, Any]]:
    rule = leakage_limits()["planned"]
    words = "|".join(re.escape(word) for word in rule["words"])
    return re.compile(rf"\b(?:{words})"), rule


def days_after(text: str, written: date) -> Iterator[date]:
    """Yield the days after ``written`` that a note speaks of as if they had been.

    Parameters
    ----------
    text
        The note.
    written
        Its day.

    Notes
    -----
    Left out are days of which the words before them say that they are to come
    (``[planned]`` of ``leakage.toml``), and those too far ahead to be anything but mistyped.
    """
    pattern, rule = _planned()
    latest = written + timedelta(days=30 * rule["months"])
    for match in _DATE.finditer(text):
        day = _day(match)
        if day is None or not written + timedelta(days=1) < day <= latest:
            continue
        before = text[max(0, match.start() - rule["reach"]) : match.start()]
        line = before.rsplit("\n", 1)[-1]
        if pattern.search(normalise_word(line)) is None:
            yield day


def speaking_of_later_days(notes: Iterable[NoteFindings]) -> tuple[date, ...]:
    """Return the days of the notes that speak of a later day, in order."""
    dated = ((n.note.text, n.note.written.date()) for n in notes if n.note.written is not None)
    return tuple(sorted(day for text, day in dated if any(days_after(text, day))))


def _day(match: re.Match[str]) -> date | None:
    year = int(match["y"] or match["y2"])
    try:
        return date(
            2000 + year if year < 100 else year,
            int(match["m"] or match["m2"]),
            int(match["d"] or match["d2"]),
        )
    except ValueError:
        return None
