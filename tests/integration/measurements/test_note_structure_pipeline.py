"""The three components of a note's structure, as spaCy saves, loads and ships them."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from clinical_nlp.pipeline.document import HEADINGS, SECTIONS, get_findings

_CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}
_NOTES = [
    "Motivo: revisión.\nAP: HTA, DM2. AF: padre IAM.\nEF: TA 14/8, FC80. AP: crepitantes.",
    "S: tos\nO: sat 96%\nA: IRA\nP: Cr y K en 7 d",
    "",
    "NT-proBNP 3.450 pg/ml (previo 1.200); FEVI 35-40%",
]


def _build() -> Language:
    nlp = spacy.blank("es", config=_CONFIG)
    for name in ("es_sentences", "es_sections", "hf_measurements"):
        nlp.add_pipe(name)
    return nlp


@pytest.fixture(scope="module")
def structured() -> Language:
    return _build()


def _content(doc: Doc) -> object:
    return (
        [token.is_sent_start for token in doc],
        [(s.start, s.end, s.label_) for key in (SECTIONS, HEADINGS) for s in doc.spans[key]],
        get_findings(doc),
    )


def test_pipeline_saved_and_loaded_gives_same_docs(structured: Language, tmp_path: Path) -> None:
    structured.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    for text in _NOTES:
        assert _content(loaded(text)) == _content(structured(text))


def test_loaded_pipeline_uses_saved_rules(structured: Language, tmp_path: Path) -> None:
    structured.to_disk(tmp_path / "nlp")
    path = tmp_path / "nlp" / "hf_measurements" / "rules.json"
    rules = json.loads(path.read_text())
    rules["concepts"]["heart_rate"]["names"] = ["ritmo propio"]
    path.write_text(json.dumps(rules))
    loaded = spacy.load(tmp_path / "nlp")
    assert [f.value for f in get_findings(loaded("ritmo propio 77. FC 80"))] == [77]


def test_pipeline_bytes_docbin_and_two_processes_give_same_docs(structured: Language) -> None:
    expected = [_content(structured(text)) for text in _NOTES]
    copy = _build().from_bytes(structured.to_bytes())
    assert [_content(copy(text)) for text in _NOTES] == expected
    stored = DocBin(store_user_data=True, docs=[structured(text) for text in _NOTES])
    back = DocBin(store_user_data=True).from_bytes(stored.to_bytes())
    assert [_content(doc) for doc in back.get_docs(structured.vocab)] == expected
    piped = structured.pipe(_NOTES, n_process=2, batch_size=1)
    assert [_content(doc) for doc in piped] == expected


def test_pipeline_cost_is_linear(structured: Language) -> None:
    note = "AP: HTA. EF: TA 130/80, FC 80, sat 96%. Sin edemas; K 4,1 (previo 4).\n"

    def seconds(copies: int) -> float:
        doc = structured.make_doc(note * copies)
        best = float("inf")
        for _ in range(3):
            doc.user_data.clear()
            start = time.process_time()
            for _, component in structured.pipeline:
                component(doc)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(1600) < 4 * 2.5 * seconds(400)


def test_measurements_f1_on_annotated_notes_is_at_least_097(
    structured: Language, shared: Path
) -> None:
    """F1 of (concept, value, place) on the development notes: at least 0.97."""
    true_positives = n_found = n_gold = 0
    with gzip.open(shared / "data" / "gold" / "dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            gold = {
                (f["start"], f["end"], f["concept"], f["value"])
                for f in row["findings"]
                if f.get("value") is not None
            }
            found = {
                (f.start, f.end, f.concept, f.value) for f in get_findings(structured(row["text"]))
            }
            true_positives, n_found, n_gold = (
                true_positives + len(gold & found),
                n_found + len(found),
                n_gold + len(gold),
            )
    assert 2 * true_positives / (n_found + n_gold) >= 0.97
