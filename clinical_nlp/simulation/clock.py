"""The clock of the simulated health centres."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

_SPAIN: Final = timezone(timedelta(hours=1))


def written_at(day: int, minute: int) -> datetime:
    """Return when a note was written: a proleptic ordinal day and a minute of it."""
    midnight = datetime.combine(date.fromordinal(day), datetime.min.time(), _SPAIN)
    return midnight + timedelta(minutes=minute)
