"""A copied note is no second note: it neither confirms a diagnosis nor renews a sign."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical_nlp.risk.copied_notes import CopiedNotes, NoteText
from clinical_nlp.risk.diagnosis import find_diagnosis

DAY = date(2024, 6, 30)
FIRST, SECOND, THIRD = date(2023, 3, 14), date(2023, 9, 2), date(2024, 4, 20)
HF = ("insuficiencia card", "heart_failure", {})

NOTE = """Varón de 78 años. AP: HTA, insuficiencia cardíaca.
Se cansa. No fuma.
Sigue igual. Control en tres meses."""


def days_named(timeline, note, *texts):
    """Days on which the texts, a note a day, name heart failure; and if that confirms it."""
    dates = [FIRST, SECOND, THIRD][: len(texts)]
    notes = []
    for day, text in zip(dates, texts, strict=True):
        start = text.casefold().index("insuficiencia")  # whatever the copy's case and spaces
        notes.append(note(day, text, (text[start : start + 13], *HF[1:])))
    found = find_diagnosis(timeline(DAY, notes))
    return sorted({e.day for e in found.noted}), found.confirmed


@pytest.mark.parametrize(
    "copy",
    [
        NOTE,
        NOTE.upper(),
        NOTE.replace(" ", "  ").replace("\n", "\r\n"),
        NOTE.replace("\n", " "),
        f"02/09/2023\n{NOTE}",
        f"Fecha: 2 de septiembre de 2023, 10:15 h\n\n{NOTE}",
        f"Consulta de Medicina. Dra. Gil. 02-09-2023 10:15\n{NOTE}",
        f"02/09/2023 10:15: {NOTE}",
        f"{NOTE}\n\nFdo.: Dra. Gil, 2/9/23",
        f"{NOTE}\nAñado: hoy con tos y mocos desde hace tres días. Paracetamol.",
        f"Renueva recetas. Dolor de rodilla al andar, sin derrame.\n\n{NOTE}",
        NOTE.removeprefix("Varón de 78 años. "),
        NOTE.removesuffix(" Control en tres meses."),
        NOTE.replace("Se cansa.", "Se cansa más."),
        "\n".join(f"- {line}" for line in NOTE.splitlines()),
    ],
    ids=[
        "same", "capitals", "spaces", "one-line", "date", "date-in-words", "header", "date-before",
        "signature", "appended", "prepended", "cut-at-the-top", "cut-at-the-end", "edited", "list",
    ],
)  # fmt: skip
def test_copy_of_a_note_does_not_confirm(timeline, note, copy):
    assert days_named(timeline, note, NOTE, copy) == ([FIRST], False)


def test_copy_of_a_dated_note_below_its_date_does_not_confirm(timeline, note):
    first, second = f"14/03/2023\n{NOTE}", f"02/09/2023\n{NOTE}"
    assert days_named(timeline, note, first, second) == ([FIRST], False)


def test_copy_of_a_copy_does_not_confirm(timeline, note):
    second = f"{NOTE}\nVacuna de la gripe."
    third = f"{second}\nDolor de hombro, ecografía pedida."
    assert days_named(timeline, note, NOTE, second, third) == ([FIRST], False)


def test_copy_of_a_few_words_does_not_confirm(timeline, note):
    text = "Insuficiencia cardíaca."
    assert days_named(timeline, note, text, text) == ([FIRST], False)


def test_undated_copy_does_not_confirm(timeline, note):
    notes = [note(FIRST, NOTE, HF), note(None, NOTE, HF)]
    line = timeline(DAY, notes)
    assert not find_diagnosis(line).confirmed and line.undated == ()


@pytest.mark.parametrize(
    "second",
    [
        "Revisado por cardiología: insuficiencia cardíaca estable, NT-proBNP pedido.",
        "AP: HTA, insuficiencia cardíaca. Viene por lumbalgia de una semana, sin fiebre.",
        "Insuficiencia cardíaca. Ingresa por fractura de cadera tras caída en casa.",
    ],
)
def test_another_note_confirms(timeline, note, second):
    assert days_named(timeline, note, NOTE, second) == ([FIRST, SECOND], True)


def test_two_short_notes_with_other_words_confirm(timeline, note):
    texts = "Insuficiencia cardíaca.", "Control de insuficiencia cardíaca."
    assert days_named(timeline, note, *texts) == ([FIRST, SECOND], True)


def test_copied_support_is_of_its_first_day(timeline, note):
    """An abbreviation in the copy of the very note that names the syndrome is no support."""
    text = NOTE.replace("Se cansa", "IC estable; se cansa")
    marks = [HF, ("IC", "heart_failure", {})]
    line = timeline(DAY, [note(FIRST, text, *marks), note(SECOND, text, *marks)])
    assert not find_diagnosis(line).confirmed


def test_copied_denial_does_not_withdraw(timeline, note):
    """Denied, then named in two notes, then the old denial pasted once more."""
    denied = "Disnea de esfuerzo. Eco normal. Se descarta insuficiencia cardíaca. Alta."
    mark = (HF[0], HF[1], {"negated": True})
    notes = [
        note(FIRST, denied, mark),
        note(SECOND, NOTE, HF),
        note(THIRD, "Ingreso por insuficiencia cardíaca, mejoría con furosemida.", HF),
        note(THIRD + timedelta(9), denied, mark),
    ]
    assert find_diagnosis(timeline(DAY, notes)).confirmed


def test_copied_sign_is_of_its_first_day(timeline, note):
    mark = ("Se cansa", "fatigue", {})
    line = timeline(DAY, [note(day, NOTE, mark) for day in (FIRST, SECOND, THIRD)])
    assert [e.day for e in line.entries] == [FIRST] * 3
    assert line.note_days == (FIRST, SECOND, THIRD), "the visits took place"


def test_copied_value_is_of_its_first_day_and_a_new_one_is_not(timeline, note):
    def weighed(day, value):
        text = f"Control de peso. Peso {value} kg. Dieta. Vuelve en tres meses con analítica."
        return note(day, text, (str(value), "body_weight", {"value": float(value), "unit": "kg"}))

    line = timeline(DAY, [weighed(FIRST, 80), weighed(SECOND, 80), weighed(THIRD, 82)])
    assert [(e.day, e.value) for e in line.entries] == [(FIRST, 80), (FIRST, 80), (THIRD, 82)]


def test_examination_by_template_in_other_notes_is_new(timeline, note):
    """The same few words of examination, each time below another story."""
    stories = [
        "Acude por tos seca de cinco días, sin fiebre, con malestar y dolor de garganta.",
        "Control de su diabetes: trae analítica con HbA1c de siete y buen perfil de lípidos.",
        "Renovación de recetas; comenta que ha dejado de caminar por la artrosis de rodilla.",
    ]
    mark = ("edemas", "peripheral_edema", {"negated": True})
    notes = [
        note(day, f"{story} ACR: rítmico. Sin edemas.", mark)
        for day, story in zip((FIRST, SECOND, THIRD), stories, strict=True)
    ]
    assert [e.day for e in timeline(DAY, notes).entries] == [FIRST, SECOND, THIRD]


words = st.text("abcdefghilmnoprstuvz", min_size=3, max_size=9)
sentences = st.lists(
    st.lists(words, min_size=3, max_size=8).map(" ".join), min_size=3, max_size=8, unique=True
)


@given(
    before=sentences,
    after=sentences,
    spaces=st.sampled_from([" ", "  ", "\n"]),
    header=st.sampled_from(["", "02/09/2023\n", "Visita del 2 de sept. de 2023, 9:40\n"]),
    shout=st.booleans(),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_copy_never_confirms(timeline, note, before, after, spaces, header, shout):
    text = ". ".join([*before, "Insuficiencia cardíaca", *after]) + "."
    copy = header + (text.upper() if shout else text).replace(" ", spaces)
    assert days_named(timeline, note, text, copy) == ([FIRST], False)
    grown = f"{copy}\n\n{'. '.join(before[::-1])}."
    assert days_named(timeline, note, text, grown) == ([FIRST], False)


@given(first=sentences, second=sentences)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_notes_with_nothing_else_in_common_confirm(timeline, note, first, second):
    fresh = [sentence for sentence in second if sentence not in first]
    if sum(map(len, fresh)) < 2 * len("insuficiencia cardíaca"):
        return
    texts = [". ".join(["Insuficiencia cardíaca", *part]) + "." for part in (first, fresh)]
    assert days_named(timeline, note, *texts) == ([FIRST, SECOND], True)


def test_comparison_is_linear_in_notes():
    """Notes that share most of their sentences with all others: two candidates are enough."""
    stock = [f"frase de plantilla número {n} de la exploración" for n in range(12)]
    known = CopiedNotes()
    for number in range(500):
        text = ". ".join([f"historia {number} de hoy", *stock])
        read = NoteText(text, 0, 0)
        assert known.sources_of(read) == sorted({0, number - 1})[:number]
        known.remember(read)
