from datetime import date

import pytest

from clinical_nlp.risk.wording import day_es, listed, month_es, number_es


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
def test_numbers_are_spanish(value, decimals, sign, text):
    assert number_es(value, decimals, sign) == text


def test_days_months_and_lists():
    assert day_es(date(2024, 3, 2)) == "02/03/2024"
    assert month_es(date(2024, 3, 2)) == "marzo de 2024"
    assert listed(["NT-proBNP"], "ni") == "NT-proBNP"
    assert listed(["a", "b", "c"], "ni") == "a, b ni c"
