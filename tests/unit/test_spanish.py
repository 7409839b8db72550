"""Dates, numbers and lists are written as Spanish readers expect them."""

from __future__ import annotations

from datetime import date

import pytest

from clinical_nlp.spanish import (
    count_es,
    day_es,
    duration_es,
    energy_es,
    list_es,
    month_es,
    number_es,
    percent_es,
    share_es,
)


@pytest.mark.parametrize(
    ("value", "decimals", "sign", "text"),
    [
        (640.0, 0, False, "640"),
        (3450.0, 0, False, "3450"),
        (13450.0, 0, False, "13.450"),
        (7.25, 1, False, "7,2"),
        (-4.0, 0, True, "-4"),
        (4.0, 0, True, "+4"),
        (1234567.5, 1, False, "1.234.567,5"),
    ],
)
def test_number_es_groups_from_five_digits(
    value: float, decimals: int, sign: bool, text: str
) -> None:
    assert number_es(value, decimals, sign=sign) == text


def test_day_es_and_month_es_write_spanish_dates() -> None:
    assert day_es(date(2024, 3, 2)) == "02/03/2024"
    assert month_es(date(2024, 3, 2)) == "marzo de 2024"


def test_list_es_puts_conjunction_before_last_item() -> None:
    assert list_es(["NT-proBNP"], "ni") == "NT-proBNP"
    assert list_es(["a", "b", "c"], "ni") == "a, b ni c"


def test_table_numbers_are_grouped_from_four_digits() -> None:
    assert count_es(1234567) == "1.234.567"
    assert number_es(1234.56, 1, group_from=1_000) == "1.234,6"


def test_share_es_never_rounds_to_none_or_all() -> None:
    assert share_es(1, 3) == "33,3\xa0%"
    assert share_es(0, 0) == "–"
    assert share_es(1, 100_000) == "<\xa00,1\xa0%"
    assert share_es(99_999, 100_000) == ">\xa099,9\xa0%"
    assert share_es(5, 5) == "100\xa0%"


def test_percent_es_with_trim_leaves_out_zero_decimals() -> None:
    assert percent_es(0.0128, 2, trim=True) == "1,28\xa0%"
    assert percent_es(0.1, 2, trim=True) == "10\xa0%"


def test_energy_es_below_one_kilowatt_hour_is_in_watt_hours() -> None:
    assert energy_es(0.0235) == "23,5\xa0Wh" and energy_es(2.345) == "2,35\xa0kWh"


def test_duration_es_picks_unit_by_length() -> None:
    assert duration_es(0.424) == "0,42\xa0s"
    assert duration_es(59.97) == "1\xa0min 0\xa0s"
    assert duration_es(3725) == "1\xa0h 2\xa0min"
