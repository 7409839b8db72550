"""The day that an export speaks of, not moved by a few mistyped dates.

The estimates of a night refer to the last day of the export. Its latest date will not do: one
visit typed a year ahead would put every patient's last note a year in the past, and everyone
would abstain. So the end of the export is where its activity ends (docs/adr/038).

Counted are contacts: a patient on a day, however many resources the visit left. If activity
stopped on day ``d`` and what lies after it was mistyped, the ``L`` days up to the latest
date lack about ``rate * L`` contacts and hold a few strays. The end of the export is the day
that maximises

    rate * L - STRAY_COST * (contacts after d)

among the days for which the evidence is clear. ``rate`` is that of the middle half of all
contacts, which no stray reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from clinical_nlp.records import DayCounts

#: Days without activity that are nothing unusual: a weekend, Easter, a late file.
QUIET_DAYS = 14

#: A date after the end is not believed where contacts came at less than a tenth of their
#: rate. August and a staff strike do not come near that.
STRAY_COST = 10.0

#: Strays that may be disbelieved: at most this many contacts, or this share of all. More are
#: no slips of a pen but a part of the data, such as a cohort that is followed longer.
MOST_STRAYS = 3
MOST_STRAY_SHARE = 0.01

#: Contacts under which the rate says nothing, and the latest day is taken.
FEWEST_CONTACTS = 20


@dataclass(frozen=True, slots=True)
class IndexDay:
    """The last day of an export, and later dates that are not believed.

    Parameters
    ----------
    day
        ``None`` where nothing is dated.
    disbelieved
        Counts of each later day, earliest first.
    """

    day: date | None
    disbelieved: Mapping[date, DayCounts]


def find_index_day(days: Mapping[date, DayCounts]) -> IndexDay:
    """Return the last day of an export's activity.

    Parameters
    ----------
    days
        Patients and resources that begin on each day: notes, observations, starts of
        prescriptions and problems. Ends are none of them: they may be planned.

    Examples
    --------
    >>> from datetime import timedelta
    >>> days = {date(2024, 1, 1) + timedelta(n): DayCounts(5, 9) for n in range(180)}
    >>> find_index_day({**days, date(2025, 12, 1): DayCounts(1, 4)}).day
    datetime.date(2024, 6, 28)
    """
    order = sorted(days)
    if not order:
        return IndexDay(None, {})
    latest = end = order[-1]
    contacts = sum(counts.patients for counts in days.values())
    rate = contact_rate(days)
    strays, disbelieved, best = 0, 0, 0.0
    for later, day in zip(reversed(order), reversed(order[:-1]), strict=False):
        strays += days[later].patients
        if 4 * strays > contacts:  # the rate holds for no day before the middle half
            break
        length = (latest - day).days
        clear = rate * length >= STRAY_COST * (strays + 1)
        score = rate * length - STRAY_COST * strays
        if clear and score > best:
            end, best, disbelieved = day, score, strays
    most = max(MOST_STRAYS, MOST_STRAY_SHARE * contacts)
    if (latest - end).days <= QUIET_DAYS or disbelieved > most or contacts < FEWEST_CONTACTS:
        end = latest
    return IndexDay(end, {day: days[day] for day in order if day > end})


def contact_rate(days: Mapping[date, DayCounts]) -> float:
    """Return the contacts a day in the middle half of all contacts, which no stray reaches.

    Parameters
    ----------
    days
        As for :func:`find_index_day`; not empty.
    """
    order, contacts = sorted(days), sum(counts.patients for counts in days.values())
    passed, middle = 0, []
    for day in order:
        passed += days[day].patients
        if contacts <= 4 * passed:
            middle.append(day)
        if 4 * passed >= 3 * contacts:
            break
    # A month at least: data of a single day have no rate.
    length = max((middle[-1] - middle[0]).days + 1, 30)
    return sum(days[day].patients for day in middle) / length
