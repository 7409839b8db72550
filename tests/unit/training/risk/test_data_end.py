"""Where the data of a cohort end."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinical_nlp.records import DayCounts
from clinical_nlp.training.risk.data_end import find_data_end, month_of_last

END = date(2023, 12, 31)


def steady(patients: int = 6, days: int = 1500) -> dict[date, DayCounts]:
    return {END - timedelta(n): DayCounts(patients, patients) for n in range(days)}


def test_data_end_without_a_tail_is_the_last_day():
    assert find_data_end(steady()) == END
    assert find_data_end({}) is None
    assert find_data_end({END: DayCounts(1, 1)}) == END


@pytest.mark.parametrize("days_ahead", [40, 366, 3650])
def test_one_stray_date_does_not_move_it(days_ahead):
    stray = {END + timedelta(days=days_ahead): DayCounts(1, 1)}
    assert find_data_end({**steady(), **stray}) == END


@pytest.mark.parametrize("share", [1, 2])
def test_record_that_thins_out_ends_where_it_does(share):
    """A tail of a sixth or a third of the usual contacts, too much for strays."""
    tail = {END + timedelta(n): DayCounts(share, share) for n in range(1, 300)}
    assert abs((find_data_end({**steady(), **tail}) - END).days) <= 31


def test_summer_is_no_end():
    days = steady()
    for n in range(0, 31):  # the last month: half the staff are on holiday
        days[END - timedelta(n)] = DayCounts(3, 3)
    assert find_data_end(days) == END


def test_month_of_last_is_the_last_with_its_usual_number():
    days = [date(2022, month, day) for month in range(1, 10) for day in range(1, 21)]
    late = [date(2022, 10, 1), date(2023, 3, 1)]
    assert month_of_last([*days, *late]) == date(2022, 9, 1)
    assert month_of_last([]) is None
