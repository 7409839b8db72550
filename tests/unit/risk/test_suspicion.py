"""A suspicion in writing, and what settles it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from clinical_nlp.risk.clinical_picture import picture_reasons
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import feature_row
from clinical_nlp.risk.suspicion import Verdict, find_suspicion
from clinical_nlp.risk.suspicion_sentences import suspicion_missing, suspicion_reasons

DAY = date(2024, 6, 30)
FIRST, SECOND = date(2024, 3, 12), date(2024, 5, 2)
SUSPECTED = ("insuficiencia cardíaca", "heart_failure", {"uncertain": True})
DENIED = ("insuficiencia cardíaca", "heart_failure", {"negated": True})
NAMED = ("insuficiencia cardíaca", "heart_failure", {})
TEXT = "Disnea. Probable insuficiencia cardíaca."


def peptide(value, **rest):
    return (str(value), "nt_probnp", {"value": float(value), "unit": "pg/mL", **rest})


def lvef(value):
    return (str(value), "lvef", {"value": float(value), "unit": "%"})


@pytest.fixture
def suspected(note):
    return note(FIRST, TEXT, SUSPECTED)


def test_uncertain_mention_is_a_suspicion(timeline, suspected):
    line = timeline(DAY, [suspected])
    found = find_suspicion(line)
    assert found is not None and found.since == found.last == FIRST
    assert found.mentions[0].evidence.source == suspected.note.key
    assert find_suspicion(line.until(FIRST - timedelta(days=1))) is None


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (("edema agudo de pulmón", "acute_pulmonary_edema", {"uncertain": True}), True),
        (("disfunción sistólica", "lv_systolic_dysfunction", {"uncertain": True}), True),
        (("insuficiencia cardíaca", "heart_failure", {"family": True, "uncertain": True}), False),
        (("insuficiencia cardíaca", "heart_failure", {"hypothetical": True}), False),
        (("disfunción diastólica", "diastolic_dysfunction", {"uncertain": True}), False),
        # The reader is not sure what the note says: not the doctor's doubt.
        (("insuficiencia cardíaca", "heart_failure", {"probability": 0.5}), False),
        (("insuficiencia cardíaca", "heart_failure",
          {"uncertain": True, "probability": 0.65}), True),
    ],
)  # fmt: skip
def test_what_is_a_suspicion(timeline, note, mark, expected):
    assert (find_suspicion(timeline(DAY, [note(FIRST, mark[0], mark)])) is not None) is expected


def test_doubted_mention_counts_where_the_note_asks_for_a_test(timeline, note):
    mark = ("insuficiencia cardíaca", "heart_failure", {"probability": 0.5})
    line = timeline(DAY, [note(FIRST, "insuficiencia cardíaca. Pido NT-proBNP.", mark)])
    assert find_suspicion(line) is not None


@pytest.mark.parametrize(
    ("mark", "settles"),
    [
        (peptide(80), True),
        (peptide(125), False),
        (peptide(125, comparator="<"), True),
        (peptide(100, comparator=">"), False),
        (peptide(1250), False),
        (("20", "bnp", {"value": 20.0, "unit": "pg/mL"}), True),
        (("60", "bnp", {"value": 60.0, "unit": "pg/mL"}), False),
        (lvef(60), True),
        (lvef(45), False),
        (("insuficiencia cardíaca", "decompensated_heart_failure", {"negated": True}), False),
        (DENIED, True),
    ],
)
def test_later_test_or_denial_settles(timeline, note, suspected, mark, settles):
    later = note(SECOND, f"Resultado: {mark[0]}", mark)
    found = find_suspicion(timeline(DAY, [suspected, later]))
    assert (found is None) is settles
    # What came before the suspicion settles nothing.
    earlier = note(FIRST - timedelta(days=30), f"Resultado: {mark[0]}", mark)
    assert find_suspicion(timeline(DAY, [earlier, suspected])) is not None


def test_suspicion_taken_up_again_after_a_test_stands(timeline, note, suspected):
    normal = note(SECOND, "NT-proBNP 80", peptide(80))
    again = note(date(2024, 6, 1), "Sigo pensando en insuficiencia cardíaca", SUSPECTED)
    found = find_suspicion(timeline(DAY, [suspected, normal, again]))
    assert found is not None and found.peptide is not None
    assert found.peptide.verdict is Verdict.NORMAL and not found.peptide.after


def test_obesity_takes_half_the_limit(timeline, note, suspected):
    def found(value):
        later = note(SECOND, f"obesidad {value}", ("obesidad", "obesity", {}), peptide(value))
        return find_suspicion(timeline(DAY, [suspected, later]))

    assert found(50) is None
    assert found(100).peptide.verdict is Verdict.NORMAL_OBESE


def test_structural_finding_keeps_the_suspicion(timeline, note, suspected):
    eco = note(
        SECOND, "FEVI 60, HVI", lvef(60), ("HVI", "lv_hypertrophy", {})
    )  # preserved, not normal
    assert find_suspicion(timeline(DAY, [suspected, eco])) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Remitida por insuficiencia cardíaca posible. No hay insuficiencia cardíaca.", False),
        ("Nunca insuficiencia cardíaca. Hoy posible insuficiencia cardíaca.", True),
    ],
)
def test_last_word_of_a_note_holds(timeline, note, text, expected):
    made = note(FIRST, text, SUSPECTED)
    (first,) = made.findings
    start = text.rindex("insuficiencia cardíaca")
    second = replace(first, start=start, end=start + len(first.text))
    denied_last = "No hay" in text
    flags = ({}, {"uncertain": False, "negated": True})
    pair = (
        replace(first, **flags[not denied_last]),
        replace(second, **flags[denied_last]),
    )
    line = timeline(DAY, [replace(made, findings=pair)])
    assert (find_suspicion(line) is not None) is expected


def test_denial_of_signs_on_a_later_day_settles_nothing(timeline, note, suspected):
    later = note(SECOND, "Sin signos de insuficiencia cardíaca", DENIED)
    assert find_suspicion(timeline(DAY, [suspected, later])) is not None


def test_old_suspicion_is_history(timeline, note):
    old = note(DAY - timedelta(days=731), TEXT, SUSPECTED)
    recent = note(DAY - timedelta(days=729), TEXT, SUSPECTED)
    assert find_suspicion(timeline(DAY, [old])) is None
    assert find_suspicion(timeline(DAY, [recent])) is not None


def test_copied_suspicion_is_of_its_first_day(timeline, note):
    text = "Mujer de 80 años con disnea. Probable insuficiencia cardíaca. Pido analítica completa."
    found = find_suspicion(timeline(DAY, [note(d, text, SUSPECTED) for d in (FIRST, SECOND)]))
    assert found.last == FIRST


def test_provisional_problem_is_a_suspicion_and_a_confirmed_one_none(timeline, event, suspected):
    provisional = event("condition", "icd10", "I50.9", FIRST, uncertain=True)
    found = find_suspicion(timeline(DAY, events=[provisional]))
    assert found is not None and len(found.provisional) == 1
    coded = event("condition", "icd10", "I50.9", SECOND)
    assert find_suspicion(timeline(DAY, [suspected], [coded])) is None


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([NAMED], True),  # once, without support
        ([("IC", "heart_failure", {})], True),
        ([("IC", "heart_failure", {}), DENIED], False),
    ],
)
def test_naming_that_is_no_diagnosis_is_a_suspicion(timeline, note, marks, expected):
    line = timeline(DAY, [note(FIRST, "AP: HTA, IC. insuficiencia cardíaca", *marks)])
    assert (find_suspicion(line) is not None) is expected


def test_reasons_say_when_and_which_tests(timeline, note):
    text = "Probable insuficiencia cardíaca. Pido NT-proBNP y ecocardiograma."
    asked = ("ecocardiograma", "echocardiogram", {"hypothetical": True})
    notes = [note(FIRST, text, SUSPECTED, asked)]
    found = find_suspicion(timeline(DAY, notes))
    reasons = suspicion_reasons(found)
    assert [r.text for r in reasons] == [
        "sospecha escrita de insuficiencia cardíaca en la nota del 12/03/2024",
        "NT-proBNP pedido el 12/03/2024, sin resultado en el registro",
        "ecocardiograma pedido el 12/03/2024, sin resultado en el registro",
    ]
    assert all(r.contribution == 0.0 and r.evidence for r in reasons)
    assert suspicion_missing(found) == ()

    notes.append(note(SECOND, "NT-proBNP 1250", peptide(1250)))
    answered = [r.text for r in suspicion_reasons(find_suspicion(timeline(DAY, notes)))]
    assert "NT-proBNP 1250 pg/mL (02/05/2024): elevado" in answered
    assert not any(text.startswith("NT-proBNP pedido") for text in answered)


def test_reasons_name_the_document_of_the_last_mention(timeline, note, suspected):
    """By whom: as far as the document's type says."""
    notes = [suspected]
    for day, kind, text in (
        (SECOND, "51846-4", "Acude por tos. Sospecha de insuficiencia cardíaca."),
        (DAY, "34746-8", "Edemas. Creo que tiene insuficiencia cardíaca."),
        (DAY, "11506-3", "Ha ganado peso. Quizá insuficiencia cardíaca."),
        (DAY, "18842-5", TEXT),  # a copy
    ):
        written = note(day, text, SUSPECTED)
        notes.append(replace(written, note=replace(written.note, kind=kind)))
    first = suspicion_reasons(find_suspicion(timeline(DAY, notes)))[0]
    assert first.text.endswith("(última: 30/06/2024), de enfermería")


def test_missing_names_the_tests_that_nobody_asked_for(timeline, suspected):
    missing = suspicion_missing(find_suspicion(timeline(DAY, [suspected])))
    assert [words.split(":")[0] for words in missing] == [
        "falta NT-proBNP",
        "falta un ecocardiograma posterior a la sospecha",
    ]


def test_context_changes_no_feature(timeline, note):
    asked = ("ecocardiograma", "echocardiogram", {"hypothetical": True})
    text = "Probable insuficiencia cardíaca. Pido NT-proBNP y ecocardiograma."
    with_context = timeline(DAY, [note(FIRST, text, SUSPECTED, asked)])
    without = timeline(DAY, [note(FIRST, "Probable insuficiencia cardíaca", SUSPECTED)])
    assert with_context.context and not without.context
    table = load_features()
    rows = [map(str, feature_row(line, table)) for line in (with_context, without)]
    assert list(rows[0]) == list(rows[1])


def test_value_of_an_addendum_is_of_the_note_not_of_the_year_before(timeline, note):
    later = ("1540", "nt_probnp", {"value": 1540.0, "unit": "pg/mL", "measured_on": "--03-28"})
    before = ("1540", "nt_probnp", {"value": 1540.0, "unit": "pg/mL", "measured_on": "--11-28"})
    days = [
        timeline(DAY, [note(FIRST, "NTproBNP 1540", mark)]).entries[0].day
        for mark in (later, before)
    ]
    assert days == [FIRST, date(2023, 11, 28)]


def test_raised_peptide_without_an_echocardiogram_is_a_suspicion(timeline, note):
    """Raised for the age, of the last year, and nobody has looked at the heart since."""
    raised = note(SECOND, "NT-proBNP 2100", peptide(2100))
    found = find_suspicion(timeline(DAY, [raised]))
    assert found is not None and found.since == SECOND
    assert "NT-proBNP 2100 pg/mL (02/05/2024): elevado" in [
        r.text for r in suspicion_reasons(found)
    ]
    looked = note(DAY, "FEVI 62 %", lvef(62))
    assert find_suspicion(timeline(DAY, [raised, looked])) is None
    assert find_suspicion(timeline(DAY + timedelta(days=400), [raised])) is None
    assert find_suspicion(timeline(DAY, [note(SECOND, "NT-proBNP 130", peptide(130))])) is None


def test_picture_shows_standing_signs_and_known_heart_disease(timeline, note, lexicon):
    """Beside the suspicion, what a doctor looks for next: not what was denied since, nor old."""
    notes = [
        note(date(2023, 1, 1), "FA. Ortopnea.", ("FA", "atrial_fibrillation", {}),
             ("Ortopnea", "orthopnea", {})),
        note(FIRST, "Edemas maleolares. Crepitantes.", ("Edemas maleolares", "ankle_edema", {}),
             ("Crepitantes", "crackles", {})),
        note(SECOND, "Sin crepitantes.", ("crepitantes", "crackles", {"negated": True})),
    ]  # fmt: skip
    told = picture_reasons(timeline(DAY, notes), lexicon.concepts, load_features())
    assert [reason.text for reason in told] == [
        "signos y síntomas: edema maleolar (12/03/2024)",
        "también consta: fibrilación auricular",
    ]
    assert all(reason.contribution == 0.0 and reason.evidence for reason in told)
    assert picture_reasons(timeline(DAY, []), lexicon.concepts, load_features()) == ()


def test_peptide_under_the_limit_of_the_age_is_not_called_raised(timeline, suspected, note):
    between = note(SECOND, "NT-proBNP 300", peptide(300))  # she is 80: from 500
    texts = [r.text for r in suspicion_reasons(find_suspicion(timeline(DAY, [suspected, between])))]
    assert any(t.startswith("NT-proBNP 300 pg/mL (02/05/2024): no descarta") for t in texts)
    assert not any("elevado" in t for t in texts)
