"""The component in a spaCy pipeline: what it holds survives every way a pipeline travels."""

from __future__ import annotations

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import DocBin

from clinical_nlp.pipeline.assertion import Assertion, EsAssertion
from clinical_nlp.pipeline.document import get_findings, set_findings
from clinical_nlp.records import Finding

TEXT = "No presenta disnea pero sí edemas. Padre con ictus. Si ortopnea, acudir. TA 120/80."
WORDS = {
    "disnea": "dyspnea",
    "edemas": "peripheral_edema",
    "ictus": "stroke",
    "ortopnea": "orthopnea",
}
TOKENIZER = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}


@Language.component("assertion_test_targets")
def targets(doc):  # type: ignore[no-untyped-def]
    found = []
    for word, concept in WORDS.items():
        at = doc.text.find(word)
        if at >= 0:
            found.append(Finding(at, at + len(word), word, concept))
    at = doc.text.find("120")
    if at >= 0:
        found.append(Finding(at, at + 3, "120", "systolic_bp", value=120.0))
    set_findings(doc, found)
    return doc


@pytest.fixture(scope="module")
def pipeline() -> Language:
    nlp = spacy.blank("es", config=TOKENIZER)
    nlp.add_pipe("assertion_test_targets")
    nlp.add_pipe("es_assertion")
    return nlp


def said(doc):  # type: ignore[no-untyped-def]
    return {f.concept: f for f in get_findings(doc)}


def test_component_sets_the_flags_of_findings(pipeline: Language) -> None:
    found = said(pipeline(TEXT))
    assert found["dyspnea"].negated
    assert found["peripheral_edema"].affirmed
    assert found["stroke"].family
    assert found["stroke"].relation == "FTH"
    assert found["orthopnea"].hypothetical
    assert found["systolic_bp"].affirmed


def test_component_keeps_the_flag_of_a_term(pipeline: Language) -> None:
    doc = pipeline.make_doc("Eupneica en reposo.")
    set_findings(doc, [Finding(0, 8, "Eupneica", "dyspnea", negated=True)])
    (found,) = get_findings(pipeline.get_pipe("es_assertion")(doc))
    assert found.negated


def test_flags_span_off_token_borders_is_asserted(pipeline: Language) -> None:
    component = pipeline.get_pipe("es_assertion")
    assert isinstance(component, EsAssertion)
    doc = pipeline.make_doc("Sin hipertensión ni fiebre")
    assert component.flags(doc, [(6, 12), (20, 26), (3, 3)]) == [
        Assertion(negated=True),
        Assertion(negated=True),
        Assertion(),
    ]


def test_component_leaves_nothing_of_medspacy_on_the_doc(pipeline: Language) -> None:
    doc = pipeline(TEXT)
    assert list(doc.user_data) == ["clinical_nlp.findings", "clinical_nlp.cues"]


def test_component_survives_disk_bytes_processes_and_docbin(pipeline: Language, tmp_path) -> None:  # type: ignore[no-untyped-def]
    expected = get_findings(pipeline(TEXT))
    pipeline.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    assert get_findings(loaded(TEXT)) == expected
    again = spacy.blank("es", config=TOKENIZER)
    again.add_pipe("assertion_test_targets")
    again.add_pipe("es_assertion")
    again.from_bytes(pipeline.to_bytes())
    assert get_findings(again(TEXT)) == expected
    docs = list(pipeline.pipe([TEXT, TEXT], n_process=2))
    assert [get_findings(d) for d in docs] == [expected, expected]
    packed = DocBin(store_user_data=True, docs=docs).to_bytes()
    unpacked = list(DocBin().from_bytes(packed).get_docs(pipeline.vocab))
    assert [get_findings(d) for d in unpacked] == [expected, expected]


def test_to_bytes_holds_the_rules(pipeline: Language) -> None:
    component = pipeline.get_pipe("es_assertion")
    assert component.to_bytes() == pipeline.get_pipe("es_assertion").to_bytes()
    emptied = EsAssertion.__new__(EsAssertion).from_bytes(b'{"rules": {}, "categories": {}}')
    doc = pipeline.make_doc("No disnea")
    assert emptied.flags(doc, [(3, 9)]) == [Assertion()]
    assert emptied.from_bytes(component.to_bytes()).flags(doc, [(3, 9)]) == [
        Assertion(negated=True)
    ]
