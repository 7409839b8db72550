"""Words whose meaning hangs on the sentence, and the shapes of lists."""

from __future__ import annotations

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.pipeline.assertion import Assertion, EsAssertion
from clinical_nlp.pipeline.assertion.rules import load_assertion_rules

TOKENIZER = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}
NLP = spacy.blank("es", config=TOKENIZER)
COMPONENT = EsAssertion(load_assertion_rules(), {"furosemide": "drug", "dyspnea": "symptom"})


def said(text: str, *words: str, concept: str = "dyspnea") -> list[Assertion]:
    spans = [(text.index(w), text.index(w) + len(w)) for w in words]
    return COMPONENT.flags(NLP.make_doc(text), spans, [concept] * len(words))


NEG, HYP = Assertion(negated=True), Assertion(hypothetical=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no disnea, si tos", [NEG, Assertion()]),
        ("si disnea o tos, acudir", [HYP, HYP]),
        ("no suspender disnea ni tos", [Assertion(), Assertion()]),
        ("disnea no tos si", [NEG, Assertion()]),
        ("disnea no, tos no", [NEG, NEG]),
        ("acudir si:\n- disnea\n- tos", [HYP, HYP]),
        ("niega:\n\n• disnea\n• tos", [NEG, NEG]),
    ],
)
def test_flags_ambiguous_cue_is_decided_by_the_sentence(
    text: str, expected: list[Assertion]
) -> None:
    assert said(text, "disnea", "tos") == expected


def test_flags_empty_note_or_invalid_span_is_affirmed() -> None:
    assert COMPONENT.flags(NLP.make_doc(""), [(0, 3)]) == [Assertion()]
    assert COMPONENT.flags(NLP.make_doc("no tos"), []) == []
    assert COMPONENT.flags(NLP.make_doc("no tos"), [(3, 99), (5, 5)]) == [Assertion()] * 2


@given(st.text(alphabet="no si, .;:¿?()-\nñ", max_size=60))
def test_flags_any_text_gives_one_assertion_a_span(noise: str) -> None:
    text = noise + "disnea" + noise
    at = len(noise)
    assert len(COMPONENT.flags(NLP.make_doc(text), [(at, at + 6), (0, len(text))])) == 2


@given(st.sampled_from(["Niega disnea y tos", "Si disnea, acudir", "Probable disnea, no tos"]))
def test_flags_case_and_blanks_change_nothing(text: str) -> None:
    plain = said(text, "disnea")
    assert said(text.upper(), "DISNEA") == plain
    assert said(text.replace(" ", "  "), "disnea") == plain
    assert said("Alta. \n" + text + ".\nFirma.", "disnea") == plain
