from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.errors import InputError
from clinical_nlp.records import CodedEvent, Coding, EventKind, Note, PatientRecord, Sex
from clinical_nlp.records.codec import record_from_json, record_to_json

notes = st.builds(
    Note,
    source=st.text(max_size=9),
    patient_id=st.just("p"),
    # Half of a surrogate pair may stand in an export's JSON.
    text=st.text(st.characters(exclude_categories=()), max_size=40),
    written=st.none() | st.datetimes(datetime(1950, 1, 1), datetime(2030, 1, 1)),
)
events = st.builds(
    CodedEvent,
    kind=st.sampled_from(EventKind),
    source=st.text(max_size=9),
    codings=st.lists(st.builds(Coding, st.text(max_size=5), st.text(max_size=5))).map(tuple),
    start=st.none() | st.dates(date(1950, 1, 1), date(2030, 1, 1)),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    negated=st.booleans(),
)
records = st.builds(
    PatientRecord,
    id=st.text(min_size=1, max_size=9),
    sex=st.sampled_from(Sex),
    birth_date=st.none() | st.dates(date(1900, 1, 1), date(2020, 1, 1)),
    notes=st.lists(notes, max_size=3).map(tuple),
    events=st.lists(events, max_size=3).map(tuple),
)


@given(records)
def test_record_codec_round_trips(record):
    assert record_from_json(record_to_json(record)) == record


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "the record"),
        ('{"id": "a", "nots": []}', "'nots' is no field"),
        (
            '{"id": "a", "notes": [{"source": "s", "patient_id": "a", "text": "t", "txt": 1}]}',
            "txt",
        ),
        ('{"id": "a", "sex": "mujer"}', "'sex'"),
        ('{"sex": "male"}', "'id'"),
    ],
)
def test_record_from_json_of_bad_record_raises_e271_without_content(text, said):
    with pytest.raises(InputError, match="E271") as caught:
        record_from_json(text)
    assert said in str(caught.value) and "mujer" not in str(caught.value)
