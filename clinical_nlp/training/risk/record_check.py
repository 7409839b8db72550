"""Checks of the record itself: dates that lie, and a diagnosis that casts its shadow ahead.

Features end on the index day, but the dates that say so may be wrong. A note dated back to the
admission describes the discharge; a test known by its year stands on 1 January; index days that
were set by the referral follow it by a day. Each shows as a rate that differs between index
days with the outcome and those without, where it has no reason to.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.timeline import Origin, Timeline
from clinical_nlp.training.risk.checks import LeakageCheck, check, check_ratio
from clinical_nlp.training.risk.data_end import month_of_last
from clinical_nlp.training.risk.dataset import Cohort, Data
from clinical_nlp.training.risk.lead_time import first_appearances

#: Days before the index day that are looked at, and those before them for comparison.
WEEK, WEEKS_BEFORE = 7, 63

#: Fewest values of a test to say where its dates stand.
FEWEST_TESTS = 30


def record_checks(cohort: Cohort, data: Data, table: FeatureTable, gap: int) -> list[LeakageCheck]:
    """Run every check of the record.

    Parameters
    ----------
    data
        The cohort's examples, in order.
    gap
        Days between the index day and the outcome window.
    """
    counted = [cohort.later_dates.get(patient, ()) for patient in data.patients.tolist()]
    timelines = data.timelines
    later = np.array(
        [bisect_right(days, t.as_of) for days, t in zip(counted, timelines, strict=True)],
        dtype=np.float64,
    )
    notes = np.array([len(t.note_days) for t in timelines], dtype=np.float64)
    coarse = np.array([_coarse(t) for t in timelines], dtype=np.float64)
    entries = np.array([sum(1 for _ in _this_year(t)) for t in timelines], dtype=np.float64)
    near, before = (
        np.array([_contacts(t, *days) for t in timelines], dtype=np.float64)
        for days in ((0, WEEK), (WEEK, WEEKS_BEFORE))
    )
    return [
        check_ratio(
            "notes that speak of later days", "ratio of their shares of notes", later, notes, data
        ),
        check_ratio(
            "dates that stand for a year", "ratio of 1 January's shares", coarse, entries, data
        ),
        _january(timelines, table),
        check_ratio(
            "contacts in the week before the index day",
            "ratio of contacts, by those of 8 weeks before it",
            near,
            before,
            data,
        ),
        _gap(cohort, table, gap),
        _diagnoses_end(cohort),
    ]


def _this_year(timeline: Timeline) -> Iterator[date]:
    """Days of structured entries of the index day's own year that are known on their day."""
    for e in timeline.entries:
        own_day = e.day if e.origin is Origin.STRUCTURED and e.known == e.day else None
        if own_day is not None and own_day.year == timeline.as_of.year:
            yield own_day


def _coarse(timeline: Timeline) -> int:
    return sum((day.month, day.day) == (1, 1) for day in _this_year(timeline))


def _contacts(timeline: Timeline, after: int, up_to: int) -> int:
    """Contact days that lie ``after``..``up_to`` days before the index day."""
    start = timeline.as_of - timedelta(days=up_to)
    end = timeline.as_of - timedelta(days=after)
    return sum(start < day <= end for day in timeline.contact_days)


def _january(timelines: Sequence[Timeline], table: FeatureTable) -> LeakageCheck:
    """The test with the greatest share of values on 1 January, whatever the outcome."""
    latest = {t.patient_id: t for t in timelines}  # a patient's last, which holds the others
    topics = {key: t.key for t in table.topics if t.measured for key in t.concepts}
    total, january = Counter[str](), Counter[str]()
    for timeline in latest.values():
        for e in timeline.entries:
            if e.origin is Origin.STRUCTURED and e.concept in topics and e.day is not None:
                total[topics[e.concept]] += 1
                on_first = (e.day.month, e.day.day) == (1, 1) and e.known == e.day
                january[topics[e.concept]] += on_first
    shares = {key: january[key] / n for key, n in total.items() if n >= FEWEST_TESTS}
    worst = max(shares, key=lambda key: shares[key], default="none")
    return check("tests dated 1 January", "share", shares.get(worst, 0.0), subject=worst)


def _gap(cohort: Cohort, table: FeatureTable, gap: int) -> LeakageCheck:
    """The topic whose first appearances crowd most in the month outside the gap."""
    what = "times denser in the month before it than in the three before that"
    worst, topic = 0.0, "none"
    for key, leads in first_appearances(cohort.cases, table).items():
        near = sum(gap < lead <= gap + 30 for lead in leads)
        far = sum(gap + 30 < lead <= gap + 120 for lead in leads) / 3
        ratio = (near - 2 * np.sqrt(near)) / (far + 1.0)  # a lower bound, by Poisson
        if ratio > worst:
            worst, topic = float(ratio), key
    return check("gap before the diagnosis", what, worst, subject=topic)


def _diagnoses_end(cohort: Cohort) -> LeakageCheck:
    """Days from the last month with its usual number of diagnoses to the end of the data."""
    last = month_of_last(cohort.diagnoses.elements())
    if last is None:
        return check("diagnoses end before the data", "days", 0.0)
    end = (last + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return check("diagnoses end before the data", "days", float((cohort.days[1] - end).days))
