"""What is read of a note around the diagnosis."""

from __future__ import annotations

from datetime import date

import pytest

from clinical_nlp.risk.note_context import context_entries

DAY = date(2024, 3, 12)


def said(note, text, *marks):
    return [(e.concept, e.presence.value) for e in context_entries(note(DAY, text, *marks), DAY)]


@pytest.mark.parametrize(
    ("text", "presence"),
    [
        ("Pido NT-proBNP y placa.", "uncertain"),
        ("Analítica con proBNP.", "uncertain"),
        ("Demano pèptids natriürètics.", "uncertain"),
        ("analítica no domicilio con proBNP", "uncertain"),
        ("Pido péptidos y un electro.", "uncertain"),
        ("NT-proBNP elevado.", "present"),
        ("NTproBNP normal.", "absent"),
        ("Si NT-proBNP elevado, eco.", None),
        ("BNP normal en 2021.", None),
        ("No se pide NT-proBNP.", None),
        ("Sin NT-proBNP.", None),
        ("La obesidad baja los péptidos.", None),
        ("Pendiente de espirometría.", None),
    ],
)
def test_peptide_without_a_value_is_asked_for_or_given_in_words(note, text, presence):
    assert said(note, text) == ([] if presence is None else [("nt_probnp", presence)])


def test_peptide_with_a_value_is_left_to_the_measurements(note):
    mark = ("612", "nt_probnp", {"value": 612.0, "unit": "pg/mL"})
    assert said(note, "proBNP de 612 pg/mL", mark) == []
    # Another one, asked for in the same note.
    assert said(note, "proBNP 612. Repetir proBNP en un mes.", mark) == [("nt_probnp", "uncertain")]


def test_planned_echocardiogram_is_asked_for(note):
    mark = ("ecocardiograma", "echocardiogram", {"hypothetical": True})
    assert said(note, "Solicito ecocardiograma.", mark) == [("echocardiogram", "uncertain")]
    done = ("ecocardiograma", "echocardiogram", {})
    assert said(note, "Traigo ecocardiograma.", done) == []


@pytest.mark.parametrize(
    ("text", "named", "flags", "expected"),
    [
        ("Sin signos de IC.", "IC", {"negated": True}, "no_signs_of_heart_failure"),
        ("Se descarta IC.", "IC", {"negated": True}, None),
        ("Pregunta si puede ser IC.", "IC", {"uncertain": True}, "no_suspicion_of_heart_failure"),
        ("IC poco probable.", "IC", {"uncertain": True}, "no_suspicion_of_heart_failure"),
        ("Probable IC.", "IC", {"uncertain": True}, None),
        ("Riesgo de IC con los años.", "IC", {}, "no_suspicion_of_heart_failure"),
        ("¿Qué es la IC? Charla.", "IC", {}, "no_suspicion_of_heart_failure"),
        ("Avisar si edemas, que podría tratarse de IC.", "IC", {"uncertain": True},
         "no_suspicion_of_heart_failure"),
        ("Podría tratarse de IC.", "IC", {"uncertain": True}, None),
        ("IC avanzada.", "IC", {}, "established_heart_failure"),
        ("IC desde 2021.", "IC", {}, "established_heart_failure"),
        ("Ingresado por IC.", "IC", {}, "established_heart_failure"),
        ("ICC avançada.", "ICC", {}, "established_heart_failure"),
        ("IC a Trabajo Social.", "IC", {}, None),
        ("Eco para descartar IC.", "IC", {"hypothetical": True}, "heart_failure_to_rule_out"),
        ("Si IC, avisar.", "IC", {"hypothetical": True}, None),
        ("Madre con IC.", "IC", {"family": True}, "heart_failure_of_relative"),
    ],
)  # fmt: skip
def test_words_around_a_naming(note, text, named, flags, expected):
    found = said(note, text, (named, "heart_failure", flags))
    assert found == ([] if expected is None else [(expected, "present")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seguimiento en la unidad de insuficiencia cardíaca.", "heart_failure_programme"),
        ("PROGRAMA IC, visita 4", "heart_failure_programme"),
        ("UFIC (unitat funcional d'insuficiència cardíaca)", "heart_failure_programme"),
        ("Derivo a la unidad de insuficiencia cardíaca.", None),
        ("Unidad de cuidados intensivos.", None),
        ("Me preocupa que sea el corazón.", "heart_in_plain_words"),
        ("podria ser que el cor comencés a fallar", "heart_in_plain_words"),
        ("Non descarto que o corazón estea fallando.", "heart_in_plain_words"),
        ("Pregunta si podría ser del corazón.", None),
        ("El corazón, rítmico.", None),
    ],
)
def test_phrases(note, text, expected):
    assert said(note, text) == ([] if expected is None else [(expected, "present")])
