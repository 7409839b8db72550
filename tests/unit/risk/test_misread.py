"""Values and drugs of other people, and iron, are not the patient's."""

from __future__ import annotations

from datetime import date

import pytest

from clinical_nlp.risk.abbreviations import is_defined_otherwise

DAY = date(2024, 6, 30)


@pytest.mark.parametrize(
    ("text", "words", "concept", "value", "is_patients"),
    [
        ("La abuela tuvo una FEVI de 30 %.", "30", "lvef", 30.0, False),
        ("AF: tío con FEVI 22.", "22", "lvef", 22.0, False),
        ("El seu pare pren Entresto.", "Entresto", "sacubitril_valsartan", None, False),
        ("Cuida de su mujer. FEVI 41 %.", "41", "lvef", 41.0, True),
        ("Acude con su hija, FEVI 41 %.", "41", "lvef", 41.0, True),
        ("Su madre tiene demencia; el paciente toma Entresto.", "Entresto",
         "sacubitril_valsartan", None, True),
        ("Hierro bajo: Fe 31, ferritina 9.", "31", "lvef", 31.0, False),
        ("FE 31 %, VI dilatado.", "31", "lvef", 31.0, True),
    ],
)  # fmt: skip
def test_values_and_drugs_of_others_are_left_out(
    timeline, note, text, words, concept, value, is_patients
):
    said = {} if value is None else {"value": value, "unit": "%"}
    line = timeline(DAY, [note(date(2024, 6, 1), text, (words, concept, said))])
    assert bool(line.of(frozenset([concept]))) is is_patients


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Infección de corona (IC) tratada.", True),
        ("IC (incisión central) limpia.", True),
        ("Índice de Charlson corregido (ICC) 4.", True),
        ("Interconsulta (IC) a digestivo.", True),
        ("Insuficiencia cardíaca (IC) estable.", False),
        ("Insuficiencia cardíaca congestiva (ICC).", False),
        ("Ingreso por IC (enero).", False),
        ("IC estable (sin edemas).", False),
    ],
)
def test_abbreviation_that_the_note_defines(text, expected):
    letters = "ICC" if "ICC" in text else "IC"
    at = text.index(letters)
    assert is_defined_otherwise(text, at, at + len(letters)) is expected


@pytest.mark.parametrize(
    ("text", "words", "counts"),
    [
        ("Edemas vespertinos secundarios a varices.", "Edemas", False),
        ("Edemes per insuficiència venosa.", "Edemes", False),
        ("Edemas bimaleolares por amlodipino.", "Edemas", False),
        ("Edemas de causa venosa o cardíaca?", "Edemas", True),
        ("Edemas por la tarde.", "Edemas", True),
        ("Edemas, probable origen venoso.", "Edemas", True),
        ("Edemas hasta rodilla. Anemia.", "Edemas", True),
    ],
)
def test_sign_of_another_cause_is_no_sign_of_the_heart(timeline, note, text, words, counts):
    line = timeline(DAY, [note(date(2024, 6, 1), text, (words, "ankle_edema", {}))])
    assert bool(line.of(frozenset(["ankle_edema"]))) is counts
