from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical_nlp.records.finding import LEAST_CONFIDENCE
from clinical_nlp.risk.timeline import Origin, Presence

DAY = date(2024, 6, 1)


@pytest.mark.parametrize(
    ("flags", "presence"),
    [
        ({}, Presence.PRESENT),
        ({"negated": True}, Presence.ABSENT),
        ({"uncertain": True}, Presence.UNCERTAIN),
        ({"historical": True}, Presence.PAST),
        ({"negated": True, "historical": True}, Presence.ABSENT),
    ],
)
def test_build_timeline_flags_give_presence(timeline, note, flags, presence):
    line = timeline(DAY, [note(DAY, "Disnea.", ("Disnea", "dyspnea", flags))])
    assert [(e.presence, e.origin, e.day) for e in line.entries] == [(presence, Origin.NOTE, DAY)]


@pytest.mark.parametrize(
    ("probability", "presence"),
    [
        (None, Presence.PRESENT),
        (LEAST_CONFIDENCE, Presence.PRESENT),
        (LEAST_CONFIDENCE - 0.0001, Presence.UNCERTAIN),
        (0.0, Presence.UNCERTAIN),
    ],
)
def test_build_timeline_finding_of_low_probability_is_uncertain(
    timeline, note, probability, presence
):
    mark = ("Disnea", "dyspnea", {"probability": probability, "source": "reader"})
    (entry,) = timeline(DAY, [note(DAY, "Disnea.", mark)]).entries
    assert entry.presence is presence


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("2023-04-30", date(2023, 4, 30)),
        ("2023-04", date(2023, 4, 15)),
        ("2023", date(2023, 7, 1)),
        ("--03-12", date(2024, 3, 12)),
        ("--12-24", date(2023, 12, 24)),
        ("2024", DAY),  # the middle of the year lies after the note
        ("2031", DAY),
    ],
)
def test_build_timeline_value_counts_from_its_own_day(timeline, note, given, day):
    mark = ("35", "lvef", {"value": 35.0, "historical": True, "measured_on": given})
    (entry,) = timeline(DAY, [note(DAY, "FEVI 35 %.", mark)]).entries
    assert (entry.day, entry.known) == (day, DAY)
    known = given not in ("2031",)
    assert entry.presence is (Presence.PRESENT if known else Presence.PAST)


@pytest.mark.parametrize("flag", ["family", "hypothetical"])
def test_build_timeline_family_and_hypothetical_findings_are_left_out(timeline, note, flag):
    line = timeline(
        DAY,
        [note(DAY, "Padre IAM.", ("IAM", "myocardial_infarction", {flag: True, "negated": True}))],
    )
    assert line.entries == ()
    assert line.contact_days == (DAY,)


def test_build_timeline_codes_give_concepts_with_evidence(timeline, event):
    line = timeline(
        DAY,
        events=[
            event("condition", "icd10", "I48.91", date(2020, 1, 1)),
            event("condition", "icpc2", "K86", date(2020, 1, 2)),
            event("medication", "atc", "C03CA01", date(2020, 1, 3)),
            event("condition", "icd10", "S93.4", date(2020, 1, 4)),
        ],
    )
    assert [e.concept for e in line.entries] == [
        "atrial_fibrillation",
        "hypertension",
        "furosemide",
    ]
    assert line.entries[0].evidence.source == "Condition/I48.91-2020-01-01"
    assert len(line.contact_days) == 4  # the ankle is a contact, and nothing else


def test_build_timeline_family_history_event_is_left_out(timeline, event):
    line = timeline(DAY, events=[event("family_history", "icd10", "I50.9", date(2020, 1, 1))])
    assert line.entries == () and line.coded_heart_failure == ()


def test_build_timeline_event_recorded_later_is_left_out(timeline, event):
    late = event("condition", "icd10", "I48.91", date(2020, 1, 1), recorded=DAY + timedelta(days=1))
    assert timeline(DAY, events=[late]).entries == ()
    assert len(timeline(DAY + timedelta(days=1), events=[late]).entries) == 1


def test_build_timeline_end_after_index_day_is_removed(timeline, event):
    drug = event("medication", "atc", "C03CA01", date(2024, 1, 1), end=date(2024, 7, 1))
    assert timeline(DAY, events=[drug]).entries[0].end is None
    assert timeline(date(2024, 8, 1), events=[drug]).entries[0].end == date(2024, 7, 1)


def test_build_timeline_value_is_in_catalogue_unit(timeline, event):
    line = timeline(
        DAY,
        events=[
            event("observation", "loinc", "2160-0", date(2024, 1, 1), value=88.4, unit="umol/L"),
            event("observation", "loinc", "33762-6", date(2024, 1, 2), value=640.0, unit="ng/L"),
            event("observation", "loinc", "718-7", date(2024, 1, 3), value=13.0, unit="furlong"),
        ],
    )
    assert [(e.concept, round(e.value, 2), e.unit) for e in line.entries] == [
        ("creatinine", 1.0, "mg/dL"),
        ("nt_probnp", 640.0, "pg/mL"),
    ]


def test_build_timeline_coded_answer_gives_presence(timeline, event):
    from clinical_nlp.records import Coding

    smoker = (Coding("http://snomed.info/sct", "449868002"),)
    absent = (Coding("http://snomed.info/sct", "2667000"),)
    unknown = (Coding("http://example.org/answers", "x"),)
    line = timeline(
        DAY,
        events=[
            event("observation", "loinc", "72166-2", date(2024, 1, 1), value_codings=smoker),
            event("observation", "snomed", "271809000", date(2024, 1, 2), value_codings=absent),
            event("observation", "snomed", "267036007", date(2024, 1, 3), value_codings=unknown),
        ],
    )
    assert [(e.concept, e.presence) for e in line.entries] == [
        ("current_smoker", Presence.PRESENT),
        ("peripheral_edema", Presence.ABSENT),
    ]


COPIED = "Refiere disnea de esfuerzo desde hace un mes al subir las escaleras de casa"


def test_copy_forward_pasted_finding_keeps_first_day(timeline, note):
    marks = ("disnea de esfuerzo", "dyspnea_on_exertion", {})
    first, later = date(2023, 1, 9), date(2024, 2, 3)
    line = timeline(
        DAY,
        [
            note(later, f"Revisión.\n{COPIED}.  Sigue igual.", marks),
            note(first, f"Acude.\n{COPIED.replace(' de ', '  de ')}.", ("disnea", *marks[1:])),
        ],
    )
    assert [e.day for e in line.entries] == [first, first]
    assert len({e.evidence.source for e in line.entries}) == 2


@pytest.mark.parametrize(
    "later",
    [
        COPIED.replace("mes al", "mes\nal"),  # re-wrapped by another system
        f"Visto hoy en consulta. {COPIED}, y además ahora tos",  # lengthened
        COPIED.replace("Refiere", "Comenta"),  # touched at its edge
    ],
)
def test_copy_forward_edited_paste_keeps_first_day(timeline, note, later):
    marks = ("disnea de esfuerzo", "dyspnea_on_exertion", {})
    days = [date(2023, 1, 9), date(2024, 2, 3)]
    line = timeline(DAY, [note(days[0], f"{COPIED}.", marks), note(days[1], later, marks)])
    assert [e.day for e in line.entries] == [days[0], days[0]]


def test_copy_forward_short_or_changed_text_has_own_day(timeline, note):
    marks = ("edemas", "peripheral_edema", {})
    days = [date(2023, 1, 9), date(2024, 2, 3)]
    assert [
        e.day for e in timeline(DAY, [note(d, "Con edemas.", marks) for d in days]).entries
    ] == days
    denied = ("disnea", "dyspnea", {"negated": True})
    affirmed = ("disnea", "dyspnea", {})
    line = timeline(DAY, [note(days[0], COPIED, affirmed), note(days[1], COPIED, denied)])
    assert [e.day for e in line.entries] == days


def test_build_timeline_undated_notes_are_separate(timeline, note):
    line = timeline(DAY, [note(None, "Disnea.", ("Disnea", "dyspnea", {}))])
    assert line.entries == () and len(line.undated) == 1
    assert line.until(DAY - timedelta(days=1)).undated == ()


@given(days=st.lists(st.integers(-900, 900), max_size=8), cut=st.integers(-900, 900))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_timeline_until_equals_timeline_built_on_that_day(timeline, note, event, days, cut):
    """The law that training relies on: cutting commutes with building."""
    notes = [
        note(
            DAY + timedelta(days=d), f"{COPIED}.", ("disnea de esfuerzo", "dyspnea_on_exertion", {})
        )
        for d in sorted(set(days))
    ]
    events = [
        event(
            "condition", "icd10", "I50.9", DAY + timedelta(days=d), recorded=DAY + timedelta(d + 40)
        )
        for d in days
    ]
    index = DAY + timedelta(days=cut)
    whole = timeline(DAY + timedelta(days=1000), notes, events)
    then = timeline(index, notes, events)
    assert whole.until(index) == then
    assert all(e.known <= index for e in then.entries)
