"""The day of an export: where its activity ends, whatever a few dates say."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.records import DayCounts
from clinical_nlp.risk.index_day import MOST_STRAYS, QUIET_DAYS, find_index_day

END = date(2024, 6, 28)


def steady(every: int, days: int = 730, patients: int = 2) -> dict[date, DayCounts]:
    """Activity on each ``every``-th day up to :data:`END`."""
    return {
        END - timedelta(n): DayCounts(patients, 3 * patients) for n in range(0, days + 1, every)
    }


@given(
    every=st.integers(1, 7),
    patients=st.integers(1, 50),
    strays=st.lists(st.integers(180, 70_000), min_size=1, max_size=MOST_STRAYS, unique=True),
    resources=st.integers(1, 40),
)
def test_few_outliers_never_move_the_day(
    every: int, patients: int, strays: list[int], resources: int
) -> None:
    days = steady(every, patients=patients)
    later = {END + timedelta(n): DayCounts(1, resources) for n in strays}
    found = find_index_day({**days, **later})
    assert found.day == END
    assert found.disbelieved == dict(sorted(later.items()))


@given(
    onsets=st.lists(st.integers(3_000, 30_000), max_size=150, unique=True),
    stray=st.integers(180, 1_000),
)
def test_old_problems_do_not_hide_an_outlier(onsets: list[int], stray: int) -> None:
    """Onsets of problems reach back decades, where there is no activity either."""
    old = {END - timedelta(n): DayCounts(1, 1) for n in onsets}
    days = {**old, **steady(2), END + timedelta(stray): DayCounts(1, 1)}
    assert find_index_day(days).day == END


@given(every=st.integers(1, 30), days=st.integers(1, 3000), patients=st.integers(1, 50))
def test_day_without_outliers_is_the_latest(every: int, days: int, patients: int) -> None:
    assert find_index_day(steady(every, days, patients)).day == END


@given(gap=st.integers(1, QUIET_DAYS))
def test_quiet_fortnight_is_believed(gap: int) -> None:
    last = END + timedelta(gap)
    assert find_index_day({**steady(1, patients=100), last: DayCounts(1, 1)}).day == last


def test_old_dates_do_not_count() -> None:
    """A problem of 1931, and a birth date typed as the day of a note."""
    days = {**steady(2), date(1931, 5, 1): DayCounts(1, 1), date(1850, 1, 1): DayCounts(1, 1)}
    assert find_index_day(days).day == END


def test_last_patient_of_a_small_record_is_believed() -> None:
    """One person who comes every other month, and then after a year."""
    days = {END - timedelta(60 * n): DayCounts(1, 2) for n in range(30)}
    later = END + timedelta(365)
    assert find_index_day({**days, later: DayCounts(1, 2)}).day == later


def test_hand_written_export_takes_the_latest() -> None:
    days = {date(2020, 1, 1): DayCounts(5, 9), END: DayCounts(1, 1)}
    assert find_index_day(days).day == END


def test_cohort_followed_longer_is_believed() -> None:
    """Most are seen until the end; one in twenty for two more years, now and then."""
    later = {END + timedelta(20 * n): DayCounts(2, 4) for n in range(1, 37)}
    assert find_index_day({**steady(1), **later}).day == max(later)


def test_activity_that_falls_in_august_is_believed() -> None:
    later = {END + timedelta(n): DayCounts(20, 30) for n in range(1, 32)}
    assert find_index_day({**steady(1, patients=100), **later}).day == max(later)


@pytest.mark.parametrize("patients", [1, 400])
def test_nothing_dated_has_no_day(patients: int) -> None:
    assert find_index_day({}).day is None
    assert find_index_day({END: DayCounts(patients, patients)}).day == END
