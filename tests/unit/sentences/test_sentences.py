"""Where sentences of clinical notes end."""

from __future__ import annotations

import pytest
import spacy
from spacy.language import Language

from clinical_nlp.errors import PipelineError
from clinical_nlp.pipeline.sentences import SentenceSplitter

_CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}


@pytest.fixture(scope="module")
def splitter() -> Language:
    nlp = spacy.blank("es", config=_CONFIG)
    nlp.add_pipe("es_sentences")
    return nlp


def _sentences(nlp: Language, text: str) -> list[str]:
    return [sentence.text.strip() for sentence in nlp(text).sents]


@pytest.mark.parametrize(
    "marked",  # '|' ends a sentence within a line, '¶' one with its line
    [
        "No refiere\ndisnea",
        "Se pauta tratamiento con\nSintrom",
        "Niega dolor,\nTos sí",
        "Disnea¶No edemas",
        "Fiebre\nno.|Tos",
        "Disnea de esfuerzo¶no ortopnea¶ta 130/80",
        "Dr. García.|Sin edemas",
        "Dolor en pierna izq. desde ayer",
        "Dolor en pierna izq.|Edema no",
        "Tto. con furosemida.|Mioc. dilatada",
        "Ingresa por I.C.C. de debut.|Refiere tos",
        "K 4,1.|Na 136.|Hb 11.8.|Bien",
        "1. Furosemida¶2. Bisoprolol",
        "- HTA¶- DM2¶- FA",
        "EPOC? nunca espirometría.|Tos",
        "¿IC de debut?|Pido eco",
        "La tos... lo cambio a losartan",
        "Revisión en 7 d.|Si disnea, urgencias",
        "No tos;|sí disnea",
        "HTA¶DM2¶FA permanente",
        "ap: epoc¶ef: sat 95",
        "(voluntades anticipadas).|No ingresos",
    ],
)
def test_splitter_ends_sentence_with_statement(splitter: Language, marked: str) -> None:
    text = marked.replace("|", " ").replace("¶", "\n")
    assert _sentences(splitter, text) == marked.replace("¶", "|").split("|")


def test_splitter_blank_line_ends_sentence(splitter: Language) -> None:
    assert _sentences(splitter, "tratado con\n\nfurosemida") == ["tratado con", "furosemida"]


def test_splitter_wrapped_line_does_not_end_sentence(splitter: Language) -> None:
    text = (
        "La paciente refiere que desde hace unas semanas, al tomar la medicación\n"
        "Entresto que le pautaron en consulta de cardiología, nota mareo al ir a\n"
        "levantarse de la cama por la mañana."
    )
    assert len(_sentences(splitter, text)) == 1


@pytest.mark.parametrize("text", ["", " ", "\n", ".", "...", "\n\n\n", "-", "̊", "🙂"])
def test_splitter_degenerate_notes_mark_every_token(splitter: Language, text: str) -> None:
    doc = splitter(text)
    assert all(token.is_sent_start is not None for token in doc)
    assert not len(doc) or doc[0].is_sent_start


def test_splitter_broken_rules_raise_e331() -> None:
    with pytest.raises(PipelineError) as caught:
        SentenceSplitter({"abbreviations": {}})
    assert caught.value.code == "E331"
