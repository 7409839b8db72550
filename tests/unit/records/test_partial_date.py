"""Dates as notes give them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.records import Finding
from clinical_nlp.records.codec import Codec
from clinical_nlp.records.partial_date import complete, day_of

_WRITTEN = date(2024, 5, 2)
_days = st.dates(date(1950, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize("bad", ["", "24", "2024-13", "--02-30", "-", "2024-3", "mayo", "--"])
def test_complete_no_such_date_is_none(bad: str) -> None:
    assert complete(bad, _WRITTEN) is None
    assert day_of(bad, _WRITTEN) is None


@pytest.mark.parametrize("partial", ["--03", "--03-12"])
def test_complete_without_year_needs_the_notes_day(partial: str) -> None:
    assert complete(partial, None) is None


@given(day=_days, written=_days)
def test_complete_date_without_year_is_the_last_up_to_the_note(day: date, written: date) -> None:
    found = complete(f"--{day:%m-%d}", written)
    if (day.month, day.day) != (2, 29):
        assert found is not None
        assert 0 <= (written - date.fromisoformat(found)).days <= 366


@given(day=_days, written=_days, length=st.sampled_from([4, 7, 10]))
def test_day_of_is_never_after_the_note(day: date, written: date, length: int) -> None:
    found = day_of(day.isoformat()[:length], written)
    assert found is None or found <= written
    assert (found is None) == (complete(day.isoformat()[:length], written) is None)


def test_codec_reads_a_finding_written_without_the_day() -> None:
    codec = Codec(Finding)
    old = '{"start": 0, "end": 2, "text": "35", "concept": "lvef", "value": 35.0, "unit": "%"}'
    assert codec.loads(old).measured_on is None
    new = Finding(0, 2, "35", "lvef", value=35.0, unit="%", measured_on="2023")
    assert codec.loads(codec.dumps(new)) == new
