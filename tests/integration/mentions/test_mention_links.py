"""``mention_links`` in a pipeline: what it links and leaves, saved, stored, sent to processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from clinical_nlp.errors import ModelError
from clinical_nlp.pipeline.assembly import build, fingerprint
from clinical_nlp.pipeline.document import set_mentions
from clinical_nlp.pipeline.mentions import links
from clinical_nlp.records import Mention

#: Words that a mention model would mark; the lexicon knows the last alone.
MARKED = {
    "hígado sin hepatomegalopatía": "DISEASE",
    "hepatomegalopatía": "SYMPTOM",
    "fibrilosis auricular": "DISEASE",
    "apendicitis": "DISEASE",
    "ortopnea": "SYMPTOM",
}
TEXT = "Padre con fibrilosis auricular. No hepatomegalopatía. Refiere ortopnea y apendicitis."


@Language.component("marks_words")
def marks_words(doc: Doc) -> Doc:
    found: list[Mention] = []
    for words, label in MARKED.items():
        at = doc.text.find(words)
        if at >= 0 and all(at >= m.end or m.start >= at + len(words) for m in found):
            concept = "orthopnea" if words == "ortopnea" else None
            found.append(Mention(at, at + len(words), words, label, 0.9, concept))
    set_mentions(doc, found)
    return doc


def pipeline(**settings: Any) -> Language:
    nlp = build()
    nlp.add_pipe("marks_words", before="es_assertion")
    loose = {"encoder_weight": 0.1, "least_score": 0.6, "least_margin": 0.2}
    nlp.add_pipe("mention_links", before="es_assertion", config=loose | settings)
    return nlp


@pytest.fixture(scope="module")
def nlp(bench: Any) -> Language:
    return pipeline(encoder=str(bench.folder / "encoder"))


def rows(doc: Doc) -> list[tuple[Any, ...]]:
    mentions = [(m.start, m.end, m.label, m.concept) for m in doc._.mentions]
    return [*doc._.findings, *mentions]


def test_what_is_like_a_concept_becomes_an_asserted_finding(nlp: Language) -> None:
    doc = nlp(TEXT)
    made = {f.text: f for f in doc._.findings if f.source.startswith("similarity:")}
    assert {text: f.concept for text, f in made.items()} == {
        "fibrilosis auricular": "atrial_fibrillation",
        "hepatomegalopatía": "hepatomegaly",
    }
    assert made["hepatomegalopatía"].negated
    assert made["fibrilosis auricular"].family
    assert 0.6 <= float(made["hepatomegalopatía"].source.partition(":")[2]) <= 1
    concepts = {m.text: m.concept for m in doc._.mentions}
    assert concepts["apendicitis"] is None
    assert concepts["ortopnea"] == "orthopnea"
    assert concepts["hepatomegalopatía"] == "hepatomegaly"
    plain = build()(TEXT)._.findings
    assert tuple(f for f in doc._.findings if f.source == "lexicon") == plain


@pytest.mark.parametrize(
    "text",
    [
        "Presenta hígado sin hepatomegalopatía.",  # it holds a negation
        "Se descarta.\n\nSin apendicitis.",  # nothing like it
        "",
        " \n ",
    ],
)
def test_what_is_to_stay_nil(nlp: Language, text: str) -> None:
    assert [f for f in nlp(text)._.findings if f.source != "lexicon"] == []


def test_docs_are_the_same_one_by_one_and_stored(nlp: Language) -> None:
    texts = [TEXT, "", TEXT.lower(), "Sin datos.", TEXT]
    expected = [rows(nlp(text)) for text in texts]
    nlp.get_pipe("mention_links").forget()  # type: ignore[attr-defined]
    assert [rows(doc) for doc in nlp.pipe(texts, batch_size=2)] == expected
    assert [rows(doc) for doc in nlp.pipe(texts, n_process=2, batch_size=2)] == expected
    stored = DocBin(store_user_data=True, docs=list(nlp.pipe(texts)))
    again = DocBin().from_bytes(stored.to_bytes()).get_docs(nlp.vocab)
    assert [rows(doc) for doc in again] == expected


def test_a_saved_pipeline_links_the_same_without_encoding_the_catalogue(
    nlp: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = rows(nlp(TEXT))
    nlp.to_disk(tmp_path / "saved")
    again = spacy.load(tmp_path / "saved")
    assert fingerprint(again) == fingerprint(nlp)
    encoded: list[int] = []
    words = links.MentionLinks._words

    def counted(self: links.MentionLinks, phrases: Any) -> Any:
        encoded.append(len(phrases))
        return words(self, phrases)

    monkeypatch.setattr(links.MentionLinks, "_words", counted)
    assert rows(again(TEXT)) == expected
    assert sum(encoded) < 10

    folder = tmp_path / "saved" / "mention_links"
    file = folder / "links.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"encoder": "0" * 64}))
    with pytest.raises(ModelError, match="E445"):
        spacy.load(tmp_path / "saved")(TEXT)
    file.write_text(json.dumps(kept))
    vectors = folder / "vectors.safetensors"
    vectors.write_bytes(vectors.read_bytes()[:1000])
    with pytest.raises(ModelError, match="E467"):
        spacy.load(tmp_path / "saved")


def test_letters_alone_load_no_encoder() -> None:
    doc = pipeline(encoder="no-such-encoder", encoder_weight=0.0)(TEXT)
    assert any(f.source.startswith("similarity:") for f in doc._.findings)
    with pytest.raises(ModelError, match="E440"):
        pipeline(encoder="no-such-encoder", encoder_weight=0.5)(TEXT)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError, match="E467"):
        pipeline(encoder_weight=1.5)
    with pytest.raises(ModelError, match="E467"):
        build(mentions=True, link="guess")
    assert "mention_links" not in build(mentions=True).pipe_names
    assert "mention_links" in build(mentions=True, link="similarity").pipe_names
