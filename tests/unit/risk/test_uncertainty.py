"""The interval in words never disagrees with the estimate it is around."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.risk.uncertainty import between_es, uncertainty_es


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.04, 0.09, "entre 4 % y 9 %"),
        (0.07, 0.07, "entre 7 % y 7 %"),
        (0.0391, 0.0714, "entre 3,9 % y 7,2 %"),
        (0.0, 0.0004, "entre menos de 0,1 % y 0,1 %"),
        (0.0999, 0.1004, "entre 9,9 % y 11 %"),
        (0.2, 1.0, "entre 20 % y 100 %"),
    ],
)
def test_bounds_are_rounded_outwards(low: float, high: float, told: str) -> None:
    assert between_es(low, high) == told


@given(st.floats(0, 1), st.floats(0, 1))
def test_what_is_told_holds_the_interval(one: float, two: float) -> None:
    low, high = sorted((one, two))
    told = between_es(low, high).replace("menos de 0,1", "0").replace(",", ".")
    lower, upper = (float(n) / 100 for n in re.findall(r"[0-9.]+", told))
    assert lower <= low + 1e-12 and high <= upper + 1e-12


def test_the_sentence_says_what_it_is_and_is_not() -> None:
    told = uncertainty_es((0.04, 0.09), 0.95)
    assert told.startswith("Intervalo del 95 %: entre 4 % y 9 %.")
    assert "no es el margen" in told
    assert uncertainty_es(None, 0.95).startswith("Sin intervalo: ")
