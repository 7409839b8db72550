"""FHIR's dates: full, partial, instants and periods, on one calendar."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

from fhir_adapters.reading.defects import Defect, Unusable
from fhir_adapters.reading.shape import Json, child, string

# FHIR requires a time zone wherever there is a time
# (https://hl7.org/fhir/R4/datatypes.html#dateTime), but many exports leave it out.
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
#: No patient's record is older: a year of 0001 or 1753 is a database's "unknown".
FIRST_YEAR = 1850
#: A day ends in Kiritimati (UTC+14) before it begins in Madrid.
_TIME_ZONE_MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A FHIR date at the precision it was given in.

    Parameters
    ----------
    at
        Its first instant; always with a time zone (UTC where the export gives none), so
        that any two compare. The offset is kept as exported: ``at.date()`` is the local
        day of the clinic.
    last_day
        The last day that it may mean: the 31st of December for a year alone.
    """

    at: datetime
    last_day: date

    @property
    def latest(self) -> datetime:
        """Its first instant, or noon of the last day of a year or month given alone."""
        if self.last_day == self.day:
            return self.at
        return datetime.combine(self.last_day, time(12), self.at.tzinfo)

    @property
    def day(self) -> date:
        """The first day that it may mean."""
        return self.at.date()


@lru_cache(maxsize=4096)
def parse_moment(text: str) -> Moment | None:
    """Read a FHIR ``date``, ``dateTime`` or ``instant``; ``None`` where it is none of them.

    Examples
    --------
    >>> parse_moment("2023-02").last_day
    datetime.date(2023, 2, 28)
    >>> parse_moment("2023-02-30") is None
    True
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    first = (int(year), int(month or 1), int(day or 1))
    try:
        if first[0] < FIRST_YEAR:
            return None
        # FHIR allows a leap second; Python has none.
        clock = (int(hour or 0), int(minute or 0), min(int(second or 0), 59))
        at = datetime(*first, *clock, tzinfo=_zone(zone))
        last_month = first[1] if month else 12
        last = int(day) if day else calendar.monthrange(first[0], last_month)[1]
        return Moment(at, date(first[0], last_month, last))
    except ValueError:  # 30 February, 25:00, +99:00
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6])))


@dataclass(frozen=True, slots=True)
class Dates:
    """Reads date fields of resources as of a day, ``today``."""

    today: date

    def past(self, parent: Json, field: str) -> Moment | None:
        """Read a date that must not lie in the future.

        Raises
        ------
        Unusable
            E217 if it is not a date, E218 if it lies after today.
        """
        moment = self.read(parent, field)
        if moment is not None and self.is_future(moment):
            raise Unusable(Defect.FUTURE_DATE, field=field)
        return moment

    def read(self, parent: Json, field: str) -> Moment | None:
        """Read a date that may lie in the future, such as the end of a prescription.

        Raises
        ------
        Unusable
            E217: it is not a date.
        """
        text = string(parent, field)
        if text is None:
            return None
        moment = parse_moment(text)
        if moment is None:
            raise Unusable(Defect.BAD_DATE, field=field)
        return moment

    def is_future(self, moment: Moment) -> bool:
        """Return whether the moment's first day lies after tomorrow."""
        return moment.day > self.today + _TIME_ZONE_MARGIN

    def span(self, resource: Json, stem: str) -> tuple[Moment | None, Moment | None]:
        """Read a choice such as ``effective[x]``: when it began, and when it ended.

        ``[x]`` may be DateTime, Instant, Period or Timing (its first event). Ages, ranges
        and free text give no day.

        Raises
        ------
        Unusable
            E217 where a date is none, E218 where the beginning lies after today.
        """
        for suffix in ("DateTime", "Instant"):
            if moment := self.past(resource, stem + suffix):
                return moment, None
        period = child(resource, f"{stem}Period")
        if period:
            return self.past(period, "start"), self.read(period, "end")
        events = child(resource, f"{stem}Timing").get("event")
        if isinstance(events, list) and events:
            return self.past({f"{stem}Timing.event": events[0]}, f"{stem}Timing.event"), None
        return None, None


def first_day(moment: Moment | None) -> date | None:
    """Return the first day that a moment may mean."""
    return None if moment is None else moment.day


def last_day(moment: Moment | None) -> date | None:
    """Return the last day that a moment may mean."""
    return None if moment is None else moment.last_day


def known_day(start: Moment | None, recorded: Moment | None = None) -> date | None:
    """Return the day on which something is known for certain, where that is not its first day.

    The recording's, where there is one. Without it, something of a day is known on that day
    (``None``), but what is dated by its year or month alone may have been on the last day of
    it: to take it as known on the first would show a model its future.
    """
    if recorded is not None:
        return recorded.last_day
    if start is None or start.last_day == start.day:
        return None
    return start.last_day
