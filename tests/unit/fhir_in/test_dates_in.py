from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapters.reading.dates import Dates, known_day, parse_moment
from fhir_adapters.reading.defects import Defect, Unusable

DATES = Dates(date(2024, 6, 1))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2023", date(2023, 1, 1), date(2023, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-02-03", date(2024, 2, 3), date(2024, 2, 3)),
        ("2024-02-03T23:30:00+02:00", date(2024, 2, 3), date(2024, 2, 3)),
        ("2016-12-31T23:59:60Z", date(2016, 12, 31), date(2016, 12, 31)),
        ("2024-02-03T08:15", date(2024, 2, 3), date(2024, 2, 3)),
        ("2011-10-14T23:37:54.530123456+00:00", date(2011, 10, 14), date(2011, 10, 14)),
    ],
)
def test_parse_moment_any_precision_gives_first_and_last_day(text, first, last):
    moment = parse_moment(text)
    assert moment is not None
    assert (moment.day, moment.last_day) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ayer",
        "12/03/2024",
        "20240312",
        "2024-13",
        "2023-02-29",
        "2024-02-30",
        "2024-02-03T25:00:00Z",
        "2024-02-03T10:00:00+99:00",
        "0001-01-01",
        "1753-01-01",
        "２０２４-01-01",
        "2024-01-01\n",
        "2024-01-01 10:00",
    ],
)
def test_parse_moment_no_date_returns_none(text):
    assert parse_moment(text) is None


@given(st.datetimes(min_value=datetime(1850, 1, 2), timezones=st.just(UTC)))
def test_parse_moment_inverts_isoformat(moment):
    assert parse_moment(moment.isoformat()).at == moment.replace(microsecond=0)


def test_parse_moment_results_are_comparable():
    texts = ["2024", "2024-01-01T00:00:00+01:00", "2024-01-01T00:00", "2023-12-31T23:30:00Z"]
    moments = [parse_moment(text).at for text in texts]
    assert sorted(moments)[0] == moments[1]


@pytest.mark.parametrize(
    ("resource", "start", "end"),
    [
        ({"effectiveDateTime": "2024-01"}, date(2024, 1, 1), None),
        ({"effectiveInstant": "2024-01-02T10:00:00Z"}, date(2024, 1, 2), None),
        (
            {"effectivePeriod": {"start": "2024-01-02", "end": "2025-03"}},
            date(2024, 1, 2),
            date(2025, 3, 31),
        ),
        ({"effectivePeriod": {"end": "2024-03-01"}}, None, date(2024, 3, 1)),
        ({"effectiveTiming": {"event": ["2024-02-02"]}}, date(2024, 2, 2), None),
        ({"effectiveAge": {"value": 60}}, None, None),
        ({}, None, None),
    ],
)
def test_span_reads_each_date_type(resource, start, end):
    first, last = DATES.span(resource, "effective")
    assert (first and first.day) == start
    assert (last and last.last_day) == end


def test_past_accepts_tomorrow_and_refuses_day_after():
    assert DATES.past({"date": "2024-06-02"}, "date").day == date(2024, 6, 2)
    with pytest.raises(Unusable) as error:
        DATES.past({"date": "2024-06-03"}, "date")
    assert error.value.defect is Defect.FUTURE_DATE


def test_past_accepts_current_year():
    assert DATES.past({"date": "2024"}, "date").day == date(2024, 1, 1)


@pytest.mark.parametrize("value", [20240101, ["2024"], {"a": 1}, True])
def test_read_date_of_wrong_json_type_raises_bad_shape(value):
    with pytest.raises(Unusable) as error:
        DATES.read({"date": value}, "date")
    assert error.value.defect is Defect.BAD_SHAPE


@pytest.mark.parametrize(
    ("start", "recorded", "known"),
    [
        ("2023", None, date(2023, 12, 31)),  # a test of that year may be its last
        ("2023-05", None, date(2023, 5, 31)),
        ("2023-05-04", None, None),  # on its own day
        ("2023", "2023-06-02", date(2023, 6, 2)),
        ("2023-05-04", "2023", date(2023, 12, 31)),
        (None, None, None),
    ],
)
def test_known_day_of_a_partial_date_is_its_last(start, recorded, known):
    moments = [text and parse_moment(text) for text in (start, recorded)]
    assert known_day(*moments) == known


def test_note_dated_by_its_year_is_of_the_last_day():
    assert parse_moment("2023").latest.date() == date(2023, 12, 31)
    assert parse_moment("2023-05-04T10:00:00Z").latest == parse_moment("2023-05-04T10:00:00Z").at
