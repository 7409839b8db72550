"""Which words open a section, and how far it reaches."""

from __future__ import annotations

import pytest
import spacy
from spacy.language import Language

from clinical_nlp.artifacts import read_toml
from clinical_nlp.errors import PipelineError
from clinical_nlp.pipeline.document import HEADINGS, SECTIONS
from clinical_nlp.pipeline.sections import Sectionizer

_CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}


@pytest.fixture(scope="module")
def sectionizer() -> Language:
    nlp = spacy.blank("es", config=_CONFIG)
    nlp.add_pipe("es_sentences")
    nlp.add_pipe("es_sections")
    return nlp


def _sections(nlp: Language, text: str) -> list[tuple[str, str]]:
    doc = nlp(text)
    return [(span.label_, span.text.strip()) for span in doc.spans[SECTIONS]]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        # OMI-AP
        ("Motivo: tos\nAP: HTA\nTTO: enalapril\nEF: bien\nJC: IRA\nPLAN: nada",
         ["reason", "personal_history", "medication", "examination", "assessment", "plan"]),
        # Diraya
        ("Anamnesis: tos.\nExploración: bien.\nJuicio clínico: IRA.\nPlan de actuación: ver.",
         ["anamnesis", "examination", "assessment", "plan"]),
        # eCAP
        ("MC: ofec\nMA: tos\nEF: bé\nProves: Rx\nOD: IC\nPla: eco",
         ["reason", "anamnesis", "examination", "tests", "assessment", "plan"]),
        # Osabide
        ("Aurrekariak: HTA\nMiaketa: ondo\nSusmoa: BG\nPlana: eko",
         ["personal_history", "examination", "assessment", "plan"]),
        # Galician
        ("Antecedentes persoais: HTA\nXuízo clínico: IC\nTratamento: nada",
         ["personal_history", "assessment", "medication"]),
        # SOAP
        ("S: tos\nO: bien\nA: IRA\nP: nada", ["anamnesis", "examination", "assessment", "plan"]),
        ("S) tos\nO) bien\nA.- IRA\nP.- nada",
         ["anamnesis", "examination", "assessment", "plan"]),
        # letters, headings alone on their line
        ("Motivo de ingreso\nDisnea\nEvolución\nBuena\nTratamiento al alta\nNinguno",
         ["reason", "evolution", "medication"]),
        # a dictated heading
        ("Exploración física tonos rítmicos. Plan calor local", ["examination", "plan"]),
        # re-entries
        ("[17/11 enf] Mejor\n25/10: igual\nEnf 02/03: bien\n--- 19/04/24 (tfno): bien",
         ["nursing", "evolution", "nursing", "evolution"]),
    ],
)  # fmt: skip
def test_sections_of_each_layout_are_found(
    sectionizer: Language, text: str, keys: list[str]
) -> None:
    assert [key for key, _ in _sections(sectionizer, text)] == keys


@pytest.mark.parametrize(
    "text",
    [
        "Edemas: no\nMMII: sin edemas\nECG: RS\nTA: 120/80\nPeso: 80",
        "P: 72, A: 1,70",
        "OD: 0,8 OI: 0,6",
        "No tiene AP de interés ni AF de cardiopatía",
        "TA 12/8: bien",
        ">35 a: explico riesgos",
        "le dije: plan",
    ],
)
def test_labels_and_words_open_no_section(sectionizer: Language, text: str) -> None:
    assert _sections(sectionizer, text) == []


def test_ap_within_examination_is_auscultation(sectionizer: Language) -> None:
    text = "AP: HTA. EF: AC: rítmica. AP: crepitantes. IY no."
    assert _sections(sectionizer, text) == [
        ("personal_history", "AP: HTA."),
        ("examination", "EF: AC: rítmica. AP: crepitantes. IY no."),
    ]


@pytest.mark.parametrize(
    "text", ["TA 130/80. AC: rítmica. AP: limpia", "AP: murmullo conservado", "AP: MVC"]
)
def test_ap_beside_auscultation_words_is_auscultation(sectionizer: Language, text: str) -> None:
    assert _sections(sectionizer, text) == []


def test_family_history_ends_before_sentence_about_patient(sectionizer: Language) -> None:
    text = "AF: padre IAM. Madre HTA. Fumador de 20 cig."
    assert _sections(sectionizer, text) == [("family_history", "AF: padre IAM. Madre HTA.")]


def test_family_history_under_heading_ends_at_blank_line(
    sectionizer: Language,
) -> None:
    text = "Antecedentes familiares\nPadre IAM\nMadre HTA\n\nNiega disnea"
    assert _sections(sectionizer, text) == [
        ("family_history", "Antecedentes familiares\nPadre IAM\nMadre HTA")
    ]


def test_heading_span_holds_words_and_colon(sectionizer: Language) -> None:
    doc = sectionizer("1. Anamnesis (esposa): tos. Tto. habitual: nada")
    assert [span.text for span in doc.spans[HEADINGS]] == ["Anamnesis (esposa):", "Tto. habitual:"]


@pytest.mark.parametrize("text", ["", "\n", ":", "::", "AP:", "AP", "[", "̊:"])
def test_sections_of_degenerate_notes_are_not_empty(sectionizer: Language, text: str) -> None:
    doc = sectionizer(text)
    assert all(span.end > span.start for span in doc.spans[SECTIONS])


def test_shared_heading_raises_e331() -> None:
    rules = read_toml("clinical_nlp.pipeline.sections", "sections.toml")
    rules["sections"]["plan"]["headings"].append("anamnesis")
    with pytest.raises(PipelineError, match="E331"):
        Sectionizer(rules)


@pytest.mark.parametrize("text", ["Tos.\nEF", "Tos.\nexploracion", "EF", "Tos.\nEF "])
def test_heading_at_the_very_end_of_a_note(sectionizer: Language, text: str) -> None:
    """A note that breaks off after a heading; this ended in an error."""
    assert all(label == "examination" for label, _ in _sections(sectionizer, text))
