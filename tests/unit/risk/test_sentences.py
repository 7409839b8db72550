"""The interval in words always holds the estimate."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.risk.sentences import between_es, uncertainty_es


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.04, 0.09, "entre 4 % y 9 %"),
        (0.07, 0.07, "entre 7 % y 7 %"),
        (0.0391, 0.0714, "entre 3,9 % y 7,2 %"),
        (0.0, 0.0004, "entre menos de 0,1 % y 0,1 %"),
        (0.0999, 0.1004, "entre 9,9 % y 11 %"),
        (0.2, 1.0, "entre 20 % y 100 %"),
    ],
)
def test_between_es_rounds_bounds_outwards(low: float, high: float, text: str) -> None:
    assert between_es(low, high) == text


@given(st.floats(0, 1), st.floats(0, 1))
def test_between_es_any_interval_lies_within_written_bounds(one: float, two: float) -> None:
    low, high = sorted((one, two))
    text = between_es(low, high).replace("menos de 0,1", "0").replace(",", ".")
    lower, upper = (float(n) / 100 for n in re.findall(r"[0-9.]+", text))
    assert lower <= low + 1e-12 and high <= upper + 1e-12


def test_uncertainty_es_says_what_the_interval_is_and_is_not() -> None:
    sentence = uncertainty_es((0.04, 0.09), 0.95)
    assert sentence.startswith("Intervalo del 95 %: entre 4 % y 9 %.")
    assert "no es el margen" in sentence
    assert uncertainty_es(None, 0.95).startswith("Sin intervalo: ")
