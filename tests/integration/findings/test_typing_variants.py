"""How a note is typed does not change what is found in it."""

from __future__ import annotations

import unicodedata

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.language import Language

from clinical_nlp.pipeline import findings, tokenizer  # noqa: F401 - register their factories
from clinical_nlp.pipeline.document import get_findings

SENTENCES = [
    "Refiere disnea de esfuerzo y ortopnea de tres almohadas.",
    "Niega dolor torácico, palpitaciones o síncope.",
    "Se le hinchan los tobillos por la tarde.",
    "EEII: edemas con fóvea hasta rodillas.",
    "Eupneico, sin ingurgitación yugular.",
    "Insuficiencia cardíaca con FEVI preservada, FA permanente, EPOC.",
    "Toma furosemida, bisoprolol y sacubitrilo/valsartán.",
    "Se despierta por la noche con falta de aire.",
    "Dispnea d'esforç, edemes a les cames.",
    "Non aguanta deitada, pernas inchadas.",
    "Ez du ortopnearik, edemarik ere ez.",
]


@pytest.fixture(scope="module")
def finder() -> Language:
    config = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}
    pipeline = spacy.blank("es", config=config)
    pipeline.add_pipe("hf_findings")
    return pipeline


def concepts(finder: Language, text: str) -> list[tuple[str, bool]]:
    return [(f.concept, f.negated) for f in get_findings(finder(text))]


notes = st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4).map(" ".join)
examples = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@examples
@given(note=notes)
def test_findings_case_accents_or_composition_change_nothing(finder: Language, note: str) -> None:
    plain = concepts(finder, note)
    assert plain
    bare = "".join(c for c in unicodedata.normalize("NFD", note) if not unicodedata.combining(c))
    assert concepts(finder, note.upper()) == plain
    assert concepts(finder, note.lower()) == plain
    assert concepts(finder, bare) == plain
    assert concepts(finder, unicodedata.normalize("NFD", note)) == plain


@examples
@given(note=notes, data=st.data())
def test_findings_white_space_changes_nothing(
    finder: Language, note: str, data: st.DataObject
) -> None:
    words = note.split(" ")
    blanks = data.draw(
        st.lists(
            st.sampled_from([" ", "  ", "\n", " \n", "\t", "\u00a0", "\r\n"]),
            min_size=len(words),
            max_size=len(words),
        )
    )
    typed = "".join(word + blank for word, blank in zip(words, blanks, strict=True))
    assert concepts(finder, typed) == concepts(finder, note)


@examples
@given(note=notes, before=st.sampled_from(["", "Acude sola.\n\n", "🙂 ", "- "]))
def test_findings_text_around_changes_nothing(finder: Language, note: str, before: str) -> None:
    assert concepts(finder, before + note + "\n\nFin de la visita.") == concepts(finder, note)


@examples
@given(text=st.text(max_size=200))
def test_findings_any_text_gives_disjoint_spans(finder: Language, text: str) -> None:
    doc = finder(text)
    ends = 0
    for finding in get_findings(doc):
        assert finding.start >= ends
        assert text[finding.start : finding.end] == finding.text
        ends = finding.end
