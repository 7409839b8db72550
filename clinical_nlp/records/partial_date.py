"""Dates as notes give them: a day, a month or a year, with or without the year.

Written in the form of ISO 8601: ``2024-03-12``, ``2024-03``, ``2024``, and ``--03-12`` or
``--03`` where the note leaves the year out.
"""

from __future__ import annotations

import re
from datetime import date

_PARTIAL = re.compile(r"(?P<year>\d{4}|-)(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?")
_JULY, _MIDDLE = 7, 15  # the middle of a year, of a month


def complete(partial: str, written: date | None) -> str | None:
    """Return the date with its year, as a FHIR ``dateTime``: ``2024``, ``2024-03``, ``2024-03-12``.

    Parameters
    ----------
    partial
        The date as the note gives it.
    written
        Day of the note: a date without a year is the last such day up to it.

    Returns
    -------
    str or None
        ``None`` where there is no such date, where it lies after the note, or where the year
        is not known.
    """
    match = _PARTIAL.fullmatch(partial)
    if match is None or (match["year"] == "-" and (written is None or match["month"] is None)):
        return None
    month, day = match["month"], match["day"]
    first: date | None
    if match["year"] == "-" and written is not None:
        first = _first(written.year, month, day)
        if first is None or first > written:
            first = _first(written.year - 1, month, day)
    else:
        first = _first(int(match["year"]), month, day)
    if first is None or (written is not None and first > written):
        return None
    return "-".join(part for part in (f"{first.year:04d}", month, day) if part)


def day_of(partial: str, written: date) -> date | None:
    """Return one day for a date as the note gives it: the middle of a month or year.

    ``None`` where :func:`complete` gives none. Never after the note.
    """
    text = complete(partial, written)
    if text is None:
        return None
    year, month, day = [*map(int, text.split("-")), 0, 0][:3]
    return min(date(year, month or _JULY, day or (_MIDDLE if month else 1)), written)


def _first(year: int, month: str | None, day: str | None) -> date | None:
    """Return the first day of a day, month or year; ``None`` where there is no such day."""
    try:
        return date(year, int(month or 1), int(day or 1))
    except ValueError:
        return None
