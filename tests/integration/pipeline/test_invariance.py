"""What must not change what is found: accents, case, normal forms, wraps, blanks, context."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.language import Language

SENTENCES = (
    "Refiere disnea de esfuerzo desde hace un mes.",
    "No presenta ortopnea ni edemas maleolares.",
    "Fibrilación auricular e hipertensión arterial.",
    "Niega dolor torácico, palpitaciones y síncope.",
    "Se ausculta soplo sistólico y crepitantes bibasales.",
    "Tensión arterial 138/84 y frecuencia cardíaca 80.",
    "En tratamiento con furosemida y bisoprolol.",
)

Fact = tuple[str, tuple[bool, ...], float | None]
FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def facts(nlp: Language) -> Callable[[str], list[Fact]]:
    return lambda text: [(f.concept, f.flags, f.value) for f in nlp(text)._.findings]


texts = st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4).map(" ".join)


def strip_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


@FEW
@given(texts)
def test_findings_are_invariant_to_accents(facts: Callable[[str], list[Fact]], text: str) -> None:
    assert facts(strip_accents(text)) == facts(text)


@FEW
@given(texts, st.sampled_from([str.upper, str.lower, str.title]))
def test_findings_are_invariant_to_case(
    facts: Callable[[str], list[Fact]], text: str, recase: Callable[[str], str]
) -> None:
    assert facts(recase(text)) == facts(text)


@FEW
@given(texts)
def test_findings_are_invariant_to_unicode_normal_form(
    facts: Callable[[str], list[Fact]], text: str
) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert facts(composed) == facts(decomposed)


@FEW
@given(texts, st.data())
def test_findings_are_invariant_to_line_wraps_and_double_blanks(
    facts: Callable[[str], list[Fact]], text: str, data: st.DataObject
) -> None:
    blanks = [i for i, c in enumerate(text) if c == " " and text[i - 1] not in ".:"]
    at = data.draw(st.sampled_from(blanks))
    wider = data.draw(st.sampled_from(["  ", "\n", " \n", "\r\n", "\u00a0"]))
    assert facts(text[:at] + wider + text[at + 1 :]) == facts(text)


@FEW
@given(texts)
def test_finding_offsets_hold_in_any_surroundings(nlp: Language, text: str) -> None:
    before = "Acude por su vacuna 😀 de la gripe.\n\n"
    alone, later = nlp(text)._.findings, nlp(before + text)._.findings
    assert [(f.start + len(before), f.end + len(before), f.text) for f in alone] == [
        (f.start, f.end, f.text) for f in later
    ]
    assert all((before + text)[f.start : f.end] == f.text for f in later)
