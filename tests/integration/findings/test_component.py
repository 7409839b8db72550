"""The component in a pipeline: saved, sent to other processes, stored, and beside others."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import DocBin, Span

from clinical_nlp.errors import PipelineError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.pipeline import findings, tokenizer  # noqa: F401 - register their factories
from clinical_nlp.pipeline.document import HEADINGS, get_findings, set_findings
from clinical_nlp.pipeline.findings import FindingsComponent, Matcher
from clinical_nlp.pipeline.findings.check import check
from clinical_nlp.records import Finding

CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}
NOTE = (
    "Mujer con HTA y DM2 que refiere disnea de moderados esfuerzos, duerme con tres\n"
    "almohadas y se le hinchan los tobillos. Eupneica en reposo. AP: crepitntes en bases."
)
FOUND = [
    ("HTA", "hypertension", False),
    ("DM2", "diabetes_type_2", False),
    ("disnea de moderados esfuerzos", "dyspnea_on_exertion", False),
    ("duerme con tres\nalmohadas", "orthopnea", False),
    ("se le hinchan los tobillos", "ankle_edema", False),
    ("Eupneica", "dyspnea", True),
    ("crepitntes", "crackles", False),
]


@pytest.fixture(scope="module")
def finder() -> Language:
    """Only the tokenizer and the findings."""
    pipeline = spacy.blank("es", config=CONFIG)
    pipeline.add_pipe("hf_findings")
    return pipeline


def rows(doc: spacy.tokens.Doc) -> list[tuple[str, str, bool]]:
    return [(f.text, f.concept, f.negated) for f in get_findings(doc)]


def test_component_gives_findings_with_exact_offsets(finder: Language) -> None:
    doc = finder(NOTE)
    assert rows(doc) == FOUND
    assert all(NOTE[f.start : f.end] == f.text for f in get_findings(doc))


def test_component_saved_and_loaded_finds_the_same(finder: Language, tmp_path: Path) -> None:
    finder.to_disk(tmp_path / "saved")
    again = spacy.load(tmp_path / "saved")
    assert rows(again(NOTE)) == FOUND
    assert again.get_pipe("hf_findings").to_bytes() == finder.get_pipe("hf_findings").to_bytes()


def test_from_bytes_restores_the_saved_lexicon(finder: Language) -> None:
    own = FindingsComponent({"texts": dict(load_lexicon().texts) | {"concepts/symptom.toml": ""}})
    assert "dyspnea" not in own.lexicon.concepts
    own.from_bytes(finder.get_pipe("hf_findings").to_bytes())
    assert "dyspnea" in own.lexicon.concepts


def test_component_in_processes_and_docbin_finds_the_same(finder: Language) -> None:
    docs = list(finder.pipe([NOTE, "Sin disnea.", NOTE], n_process=2, batch_size=1))
    assert rows(docs[0]) == rows(docs[2]) == FOUND
    store = DocBin(store_user_data=True)
    for doc in docs:
        store.add(doc)
    restored = DocBin().from_bytes(store.to_bytes()).get_docs(finder.vocab)
    assert [rows(doc) for doc in restored] == [rows(doc) for doc in docs]


def test_component_keeps_earlier_findings_and_does_not_overlap(finder: Language) -> None:
    doc = finder.make_doc("Duerme con 3 almohadas. Peso 80.")
    taken = Finding(start=11, end=12, text="3", concept="body_weight", value=3.0, unit="kg")
    set_findings(doc, [taken])
    doc = finder.get_pipe("hf_findings")(doc)
    assert get_findings(doc) == (taken,)


def test_component_heading_is_a_finding_only_for_tests(finder: Language) -> None:
    doc = finder.make_doc("Disnea: no. ECG: FA.")
    doc.spans[HEADINGS] = [Span(doc, 0, 1, label="x"), Span(doc, 4, 5, label="tests")]
    doc = finder.get_pipe("hf_findings")(doc)
    assert [f.concept for f in get_findings(doc)] == ["ecg", "atrial_fibrillation"]


@pytest.mark.parametrize("text", ["", " ", "\n\n\n", "🙂🙂", "\u0301", "...", "¿?", "·", "a·"])
def test_component_empty_text_gives_no_findings(finder: Language, text: str) -> None:
    assert get_findings(finder(text)) == ()


def test_component_time_grows_linearly(finder: Language) -> None:
    """Eight times the note takes about eight times as long, not sixty-four."""
    component = finder.get_pipe("hf_findings")

    def seconds(copies: int) -> float:
        doc = finder.make_doc((NOTE + "\n\n") * copies)
        start = time.perf_counter()
        component(doc)
        return time.perf_counter() - start

    seconds(50)
    assert seconds(1600) < 25 * seconds(200) + 0.5


def test_check_shipped_lexicon_has_no_issues() -> None:
    assert check(load_lexicon()) == []


def test_check_broken_lexicon_reports_issues() -> None:
    texts = dict(load_lexicon().texts)
    texts["concepts/symptom.toml"] += (
        '\n[itch]\ndisplay = { es = "picor" }\nes = ["picor", "picor", "tos"]\n'
    )
    texts["gates.toml"] += "\n[nobody]\notherwise = true\nrules = []\n"
    kinds = {(c.kind, c.concept, c.term) for c in check(type(load_lexicon())(texts))}
    assert ("duplicate", "itch", "picor") in kinds
    assert ("unused gate", "", "nobody") in kinds
    assert any(kind == "clash" and "tos" in term for kind, _, term in kinds)


def test_matcher_missing_gate_raises_e316() -> None:
    texts = dict(load_lexicon().texts)
    texts["decoys.toml"] += '\neu = [{ text = "x", gate = "nowhere" }]\n'
    texts["decoys.toml"] = texts["decoys.toml"].replace("eu = [\n", "gone = [\n", 1)
    with pytest.raises(PipelineError) as caught:
        Matcher(type(load_lexicon())(texts))
    assert caught.value.code == "E316"
