"""The published bands cover every probability, once, and say why they start where they do."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.bands import band_of, load_bands, parse_bands


def _data() -> dict[str, Any]:
    return tomllib.loads(
        resources.files("clinical_nlp.risk").joinpath("bands.toml").read_text("utf-8")
    )


@given(st.floats(0, 1))
def test_band_of_any_probability_is_unique(probability: float) -> None:
    holding = [
        band
        for band in load_bands()
        if band.lower <= probability < band.upper or (probability == band.upper == 1.0)
    ]
    assert [band_of(probability)] == holding


@given(st.floats(0, 1), st.floats(0, 1))
def test_band_of_higher_probability_is_never_lower(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert band_of(low).lower <= band_of(high).lower


def test_band_lower_bound_is_inclusive() -> None:
    for band in load_bands():
        assert band_of(band.lower) is band


@pytest.mark.parametrize("wrong", [-0.01, 1.01, float("nan"), float("inf")])
def test_band_of_invalid_probability_is_refused(wrong: float) -> None:
    with pytest.raises(ModelError, match="E431"):
        band_of(wrong)


def test_bands_state_reason_and_source() -> None:
    for band in load_bands():
        assert band.reason and band.source and band.mitigation_es


def test_second_band_starts_at_base_incidence() -> None:
    bands = load_bands()
    assert bands.items[1].lower == bands.base_incidence


@pytest.mark.parametrize(
    "break_it",
    [
        lambda d: d["band"].reverse(),
        lambda d: d["band"][0].update(lower=0.001),
        lambda d: d["band"][1].update(key="low"),
        lambda d: d["band"][2].pop("source"),
        lambda d: d.update(worklist_from="nowhere"),
        lambda d: d.update(band=[]),
    ],
)
def test_broken_bands_are_refused_with_remedy(break_it: Any) -> None:
    data = _data()
    break_it(data)
    with pytest.raises(ModelError, match=r"E432.*bands\.toml"):
        parse_bands(data)
