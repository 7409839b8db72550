"""The day on which the data of a cohort end: where the record thins out.

An outcome window that reaches past the end of the data holds no diagnoses, and its patients
look healthy. Neither the latest date nor the last busy day will do: exports trail off, since
reports are filed late and one clinic is copied later than another, and a single mistyped year
moves the latest date by twelve months. Strays go first, by the rule of the nightly job
(``clinical_nlp/risk/index_day.py``, docs/adr/038); then the end moves back to the last day
whose :data:`WINDOW_DAYS` up to it still hold :data:`LEAST_SHARE` of the usual contacts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from clinical_nlp.records import DayCounts
from clinical_nlp.risk.index_day import FEWEST_CONTACTS, contact_rate, find_index_day

#: Days over which contacts are counted. Even in August a month holds more than half of the
#: usual contacts.
WINDOW_DAYS = 30

#: Share of the usual contacts of such a window at which the record is complete.
LEAST_SHARE = 0.5


def find_data_end(days: Mapping[date, DayCounts]) -> date | None:
    """Return the last day on which a record is complete; ``None`` where nothing is dated.

    Parameters
    ----------
    days
        Patients and resources by the day on which they begin.

    Examples
    --------
    >>> busy = {date(2023, 1, 1) + timedelta(n): DayCounts(9, 9) for n in range(365)}
    >>> late = {date(2024, 1, 1) + timedelta(7 * n): DayCounts(2, 2) for n in range(26)}
    >>> find_data_end({**busy, **late, date(2027, 1, 1): DayCounts(1, 1)})
    datetime.date(2024, 1, 15)
    """
    last = find_index_day(days).day
    contacts = {day: counts.patients for day, counts in days.items() if last and day <= last}
    if last is None or sum(contacts.values()) < FEWEST_CONTACTS:
        return last
    least = LEAST_SHARE * WINDOW_DAYS * contact_rate(days)
    order = sorted(contacts, reverse=True)
    for day in order:
        start = day - timedelta(days=WINDOW_DAYS)
        if sum(number for other, number in contacts.items() if start < other <= day) >= least:
            return day
    return last


def month_of_last(days: Iterable[date], share: float = LEAST_SHARE) -> date | None:
    """Return the first day of the last month with its share of the median month's number.

    Parameters
    ----------
    days
        Of some kind of event, in any order.

    Returns
    -------
    date or None
        ``None`` where there is none. Months without any count for the median, from the first
        month on which a quarter of the events has happened.
    """
    counts = Counter(day.replace(day=1) for day in days)
    if not counts:
        return None
    total, passed, started = sum(counts.values()), 0, min(counts)
    for month in sorted(counts):
        started = month
        passed += counts[month]
        if 4 * passed >= total:
            break
    months, month = [], started
    while month <= max(counts):
        months.append(month)
        month = (month + timedelta(days=31)).replace(day=1)
    usual = sorted(counts[m] for m in months)[len(months) // 2]
    complete = [m for m in months if counts[m] >= share * max(usual, 1)]
    return max(complete, default=max(counts))
