"""What the reader alone finds is dropped where the words say that it is none."""

from __future__ import annotations

import pytest

from clinical_nlp.pipeline.reader.contradictions import is_contradicted
from clinical_nlp.pipeline.reader.numbers import Measure, read_value
from clinical_nlp.records import Finding


@pytest.mark.parametrize(
    ("text", "words", "concept", "expected"),
    [
        ("Función diastólica dentro de lo normal.", "Función diastólica", "diastolic_dysfunction",
         True),
        ("Función sistólica biventricular preservada.", "Función sistólica",
         "lv_systolic_dysfunction", True),
        ("Funció sistòlica conservada.", "Funció sistòlica", "lv_systolic_dysfunction", True),
        ("Válvula tricúspide competente.", "Válvula tricúspide", "tricuspid_regurgitation", True),
        ("Tensión diastólica alta.", "diastólica alta", "diastolic_dysfunction", True),
        ("Función sistólica deprimida.", "Función sistólica deprimida", "lv_systolic_dysfunction",
         False),
        ("Insuficiencia cardíaca con FEVI conservada.", "FEVI conservada", "hfpef", False),
        ("Función diastólica alterada, FEVI normal.", "Función diastólica alterada",
         "diastolic_dysfunction", False),
        ("Contusión de tobillo.", "de tobillo", "ankle_edema", True),
        ("Tobillos hinchados.", "Tobillos hinchados", "ankle_edema", False),
        ("Duerme en la butaca.", "en la butaca", "orthopnea", False),
    ],
)  # fmt: skip
def test_words_decide(text: str, words: str, concept: str, expected: bool) -> None:
    start = text.index(words)
    found = Finding(start, start + len(words), words, concept, source="reader")
    assert is_contradicted(found, text) is expected


@pytest.mark.parametrize(
    ("text", "value"), [("1.2", None), ("1.200", 1200.0), ("12 500", 12500.0), ("980,5", 980.5)]
)
def test_point_parts_thousands_only_before_three_digits(text: str, value: float | None) -> None:
    read = read_value(text, "nt_probnp", {"nt_probnp": Measure("pg/mL", 5, 70000)})
    assert (read and read.value) == value
