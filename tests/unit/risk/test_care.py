"""What notes and codes say of care: phrases with what takes them back, and open stays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinical_nlp.risk.care import _phrases, _rules, _sentences, read_care

DAY = date(2024, 6, 30)


def topics(text: str) -> set[str]:
    return set().union(*(_phrases().topics_of(words) for words in _sentences(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # palliative care, in four languages
        ("Adenocarcinoma de páncreas en cuidados paliativos.", {"palliative"}),
        ("Pacient en cures pal·liatives (PADES).", {"palliative"}),
        ("Paciente paliativo (NECPAL +).", {"palliative"}),
        ("Zainketa aringarriak.", {"palliative"}),
        ("Coidados paliativos no domicilio.", {"palliative"}),
        ("No precisa cuidados paliativos.", set()),
        ("Madre en cuidados paliativos.", set()),
        ("Rechaza paliativos.", set()),
        ("Si empeora, paliativos.", set()),
        # a stay, dependence
        ("Permanece ingresada en MI.", {"in_hospital"}),
        ("Su mujer está ingresada.", set()),
        ("Demencia GDS 6, encamada.", {"dependent"}),
        # cardiology
        ("Sigue revisiones en Cardiología.", {"cardiology_followed"}),
        ("En seguimiento por el cardiólogo.", {"cardiology_followed"}),
        ("Pendiente de cita con cardiología.", {"cardiology_followed"}),
        ("No en seguimiento por cardiología.", set()),
        ("Alta de cardiología.", set()),
        ("Revisado en cardio 2015, eco normal.", set()),
        ("IC preferente a Cardiología.", {"cardiology_referred"}),
        ("Remito a cardiología para valorar eco.", {"cardiology_referred"}),
        ("IC preferent a cardio per eco.", {"cardiology_referred"}),
        ("Valorar IC a cardio.", set()),
        ("Si empeora, derivo a cardiología.", set()),
    ],
)
def test_phrases(text, expected):
    assert topics(text) == expected


def test_read_care_uses_no_note_after_the_index_day_and_none_that_is_too_old(note, record):
    old = DAY - timedelta(_rules()["topics"]["palliative"]["days"])
    notes = [note(day, "En cuidados paliativos.") for day in (old, DAY + timedelta(1), None)]
    assert read_care(record(), notes, DAY).day("palliative") is None
    seen = [*notes, note(DAY, "En cuidados paliativos.")]
    assert read_care(record(), seen, DAY).day("palliative") == DAY


def test_read_care_knows_a_planned_ecg(note, record):
    text = "Pido ECG."
    planned = note(DAY, text, ("ECG", "ecg", {"hypothetical": True}))
    done = note(DAY, text, ("ECG", "ecg", {}))
    assert read_care(record(), [planned], DAY).day("ecg_ordered") == DAY
    assert read_care(record(), [done], DAY).day("ecg_ordered") is None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (DAY - timedelta(5), None, DAY),
        (DAY - timedelta(5), DAY + timedelta(2), DAY),
        (DAY - timedelta(5), DAY - timedelta(1), None),
        (DAY - timedelta(400), None, None),  # never closed
        (DAY + timedelta(1), None, None),
    ],
)
def test_read_care_open_encounter_is_a_stay(event, record, start, end, expected):
    system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    stay = event("encounter", system, "IMP", start, end=end)
    visit = event("encounter", system, "AMB", start, end=end)
    assert read_care(record(stay), [], DAY).day("in_hospital") == expected
    assert read_care(record(visit), [], DAY).day("in_hospital") is None


@pytest.mark.parametrize(
    ("kind", "system", "code", "topic"),
    [
        ("condition", "icd10", "Z51.5", "palliative"),
        ("procedure", "snomed", "103735009", "palliative"),
        ("procedure", "snomed", "183519002", "cardiology_referred"),
        ("encounter", "snomed", "394579002", "cardiology_followed"),
    ],
)
def test_read_care_reads_codes(event, record, kind, system, code, topic):
    coded = event(kind, system, code, DAY - timedelta(20))
    assert read_care(record(coded), [], DAY).day(topic) == DAY - timedelta(20)
    refuted = event(kind, system, code, DAY - timedelta(20), negated=True)
    assert read_care(record(refuted), [], DAY).day(topic) is None


def test_sentences_of_stray_accents_hold_no_empty_word():
    """What normalisation leaves nothing of is no word: an accent without its letter."""
    text = "Remitido \u0301 a \u0300\u0301 cardiología. \u0301"
    assert all(all(words) for words in _sentences(text))
    assert "cardiology_referred" in topics(text)
