"""Primitives are valid R4, and ids are made of content."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapters.writing.elements import (
    NAMESPACE,
    codeable,
    date_time,
    identified,
    number,
    period,
    quantity,
    reference,
    text_line,
)

# https://hl7.org/fhir/R4/datatypes.html
DATE_TIME = re.compile(
    r"([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]"
    r"|3[0-1])(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|(\+|-)((0[0-9]|1[0-3])"
    r":[0-5][0-9]|14:00)))?)?)?"
)


def test_identified_id_is_uuid5_of_type_and_content() -> None:
    body = {"status": "preliminary", "code": {"text": "disnea 😮‍💨"}}
    made = identified("Observation", body)
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    assert made.id == str(uuid.uuid5(NAMESPACE, f"Observation{content}"))
    assert json.loads(made.line) == {"resourceType": "Observation", "id": made.id, **body}


def test_identified_other_content_or_type_gives_other_id() -> None:
    body = {"status": "preliminary"}
    ids = {
        identified("Observation", body).id,
        identified("RiskAssessment", body).id,
        identified("Observation", {"status": "final"}).id,
    }
    assert len(ids) == 3


def test_identified_lone_surrogate_has_id() -> None:
    assert uuid.UUID(identified("Task", {"description": "\ud83d"}).id).version == 5


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2024, 5, 2, 9, 30), "2024-05-02"),
        (datetime(2024, 5, 2, tzinfo=UTC), "2024-05-02"),
        (datetime(2024, 5, 2, 9, 30, tzinfo=UTC), "2024-05-02T09:30:00+00:00"),
        (
            datetime(2024, 5, 2, 9, 30, 1, 250_000, tzinfo=timezone(timedelta(hours=2))),
            "2024-05-02T09:30:01.250+02:00",
        ),
        # Madrid before 1901 was 14 minutes and 44 seconds behind Greenwich.
        (
            datetime(1900, 1, 1, 0, 0, 0, tzinfo=timezone(-timedelta(minutes=14, seconds=44))),
            "1900-01-01",
        ),
    ],
)
def test_date_time_without_zone_gives_date_alone(moment: datetime, written: str) -> None:
    assert date_time(moment) == written


@given(st.datetimes(timezones=st.none() | st.just(UTC) | st.timezones()))
def test_date_time_any_moment_is_valid_fhir(moment: datetime) -> None:
    assert DATE_TIME.fullmatch(date_time(moment))


def test_period_ends_after_its_days() -> None:
    assert period(date(2024, 1, 31), 365) == {"start": "2024-01-31", "end": "2025-01-30"}


@pytest.mark.parametrize(
    ("value", "written"),
    [(120.0, "120"), (37.5, "37.5"), (0.1 + 0.2, "0.3"), (-0.0, "0"), (1e-7, "1e-07")],
)
def test_number_drops_needless_decimals(value: float, written: str) -> None:
    assert json.dumps(number(value)) == written


def test_quantity_without_unit_has_no_system() -> None:
    assert quantity(3.0, "mg", ">") == {
        "value": 3,
        "comparator": ">",
        "unit": "mg",
        "system": "http://unitsofmeasure.org",
        "code": "mg",
    }
    assert quantity(3.0, None, "~") == {"value": 3}  # R4 knows no such comparator


def test_reference_to_invalid_id_is_logical() -> None:
    assert reference("Patient/a-1.B") == {"reference": "Patient/a-1.B"}
    assert reference("a_1", "Patient") == {"type": "Patient", "identifier": {"value": "a_1"}}
    assert reference("Condition/" + "9" * 65)["type"] == "Condition"
    assert reference("no type here") == {"identifier": {"value": "no type here"}}


@given(st.text())
def test_text_line_has_no_breaks_or_control_characters(text: str) -> None:
    line = text_line(text)
    assert line == line.strip()
    assert line.isprintable()
    line.encode("utf-8")  # no half surrogate pairs


def test_codeable_always_has_text() -> None:
    assert codeable(" disnea\n") == {"text": "disnea"}
