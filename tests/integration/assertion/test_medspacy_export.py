"""Our rules serve medSpaCy's own ConText, as docs/how-to/assertion-rules.md says."""

from __future__ import annotations

import json
from importlib import resources

import pytest
import spacy
from medspacy.context import ConText

PATH = resources.files("clinical_nlp.pipeline.assertion") / "medspacy" / "es_context_rules.json"


@pytest.fixture(scope="module")
def context():  # type: ignore[no-untyped-def]
    nlp = spacy.blank("es")
    nlp.add_pipe("sentencizer")
    stops = json.loads(PATH.read_text(encoding="utf-8"))["terminating_types"]
    component = ConText(nlp, rules=str(PATH), span_attrs=None, terminating_types=stops)
    return nlp, component


@pytest.mark.parametrize(
    ("text", "word", "category"),
    [
        ("No presenta disnea pero sí edemas.", "disnea", "NEGATED_EXISTENCE"),
        ("No presenta disnea pero sí edemas.", "edemas", None),
        ("Sospecha de insuficiencia cardíaca.", "insuficiencia cardíaca", "POSSIBLE_EXISTENCE"),
        ("Su padre tuvo un ictus.", "ictus", "FAMILY"),
        ("Si disnea, acudir.", "disnea", "HYPOTHETICAL"),
        ("Sin mejoría de la disnea.", "disnea", None),
    ],
)
def test_export_in_medspacy_modifies_the_target(
    context, text: str, word: str, category: str | None
) -> None:  # type: ignore[no-untyped-def]
    nlp, component = context
    doc = nlp(text)
    at = text.index(word)
    doc.ents = [doc.char_span(at, at + len(word), label="SYMPTOM")]
    (target,) = component(doc).ents
    assert {m.category for m in target._.modifiers} == ({category} if category else set())
