"""``clinical_mentions`` in a pipeline: saved, sent to processes, stored, and given bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.tagger.files import CONFIG, WEIGHTS
from clinical_nlp.pipeline.assembly import build, fingerprint

TEXT = (
    "Paciente con neumonía. Refiere disnea de esfuerzo desde ayer. En tratamiento con bisoprolol."
)


def rows(doc: Doc) -> list[tuple[int, int, str, str | None]]:
    return [(m.start, m.end, m.label, m.concept) for m in doc._.mentions]


@pytest.fixture(scope="module")
def nlp(tiny_model: Path) -> spacy.Language:
    nlp = build()
    config = {"model": str(tiny_model), "backend": "float32"}
    nlp.add_pipe("clinical_mentions", before="es_assertion", config=config)
    return nlp


def test_mentions_have_labels_and_concepts(nlp: spacy.Language) -> None:
    doc = nlp(TEXT)
    found = {m.text: (m.label, m.concept) for m in doc._.mentions}
    assert found["neumonía"][0] == "DISEASE"
    assert found["disnea de esfuerzo"] == ("SYMPTOM", "dyspnea_on_exertion")
    assert found["bisoprolol"] == ("MEDICATION", "bisoprolol")
    assert all(0 < m.score <= 1 for m in doc._.mentions)
    assert all(doc.text[m.start : m.end] == m.text for m in doc._.mentions)


def test_findings_stay_what_they_were(nlp: spacy.Language) -> None:
    assert nlp(TEXT)._.findings == build()(TEXT)._.findings


def test_saved_pipeline_finds_the_same_mentions(nlp: spacy.Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "saved")
    again = spacy.load(tmp_path / "saved")
    assert rows(again(TEXT)) == rows(nlp(TEXT))
    assert fingerprint(again) == fingerprint(nlp)
    assert (tmp_path / "saved" / "clinical_mentions" / "model" / WEIGHTS).is_file()


def test_from_bytes_with_another_model_raises_e463(nlp: spacy.Language, tmp_path: Path) -> None:
    component: Any = nlp.get_pipe("clinical_mentions")
    data = json.loads(component.to_bytes())
    other = build()
    added: Any = other.add_pipe("clinical_mentions", before="es_assertion")
    added.from_bytes(json.dumps(data).encode())
    assert rows(other(TEXT)) == rows(nlp(TEXT))
    added.from_bytes(json.dumps(data | {"digest": "0" * 64}).encode())
    with pytest.raises(ModelError, match="E463"):
        other(TEXT)


def test_processes_and_docbin_keep_mentions(nlp: spacy.Language) -> None:
    texts = [TEXT, "", "Sin datos.", TEXT.upper()] * 3
    expected = [rows(nlp(text)) for text in texts]
    assert [rows(doc) for doc in nlp.pipe(texts, n_process=2, batch_size=3)] == expected
    stored = DocBin(store_user_data=True, docs=list(nlp.pipe(texts)))
    again = DocBin().from_bytes(stored.to_bytes()).get_docs(nlp.vocab)
    assert [rows(doc) for doc in again] == expected


@pytest.mark.parametrize(
    "text", ["", " \n\t ", "a" * 100_000, "\u200b", "👩‍⚕️ disnea", "ﬁebre\r\ntos", "." * 3000]
)
def test_odd_texts_give_valid_mentions(nlp: spacy.Language, text: str) -> None:
    for mention in nlp(text)._.mentions:
        assert 0 <= mention.start < mention.end <= len(text)


def test_missing_model_raises_e460() -> None:
    nlp = build()
    nlp.add_pipe("clinical_mentions", config={"model": "no-such-model"})
    with pytest.raises(ModelError, match="E460"):
        nlp(TEXT)


@pytest.mark.parametrize(
    ("name", "damage", "code"),
    [
        (WEIGHTS, lambda data: data[: len(data) // 2], "E461"),
        (WEIGHTS, None, "E461"),
        (CONFIG, lambda data: b"{", "E461"),
        (CONFIG, lambda data: data.replace(b'"hidden": 24', b'"hidden": 32'), "E462"),
        (CONFIG, lambda data: data.replace(b'"format": 2', b'"format": 9'), "E462"),
        ("tokenizer.json", lambda data: b"[]", "E461"),
    ],
)
def test_damaged_model_raises_model_error(
    tiny_model: Path,
    tmp_path: Path,
    name: str,
    damage: Callable[[bytes], bytes] | None,
    code: str,
) -> None:
    for path in (tiny_model / "model").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if damage is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))
    nlp = build()
    nlp.add_pipe("clinical_mentions", config={"model": str(tmp_path)})
    with pytest.raises(ModelError, match=code):
        nlp(TEXT)


@pytest.mark.parametrize("backend", ["float32", "int8"])
def test_scores_do_not_depend_on_batches_or_cache(tiny_model: Path, backend: str) -> None:
    texts = [TEXT, "Tos.", TEXT + " Niega fiebre, tos y edemas en miembros inferiores.", "Disnea."]
    nlp = build()
    config = {"model": str(tiny_model), "backend": backend}
    nlp.add_pipe("clinical_mentions", before="es_assertion", config=config | {"cache_mib": 0})
    cached = build()
    cached.add_pipe("clinical_mentions", before="es_assertion", config=config)
    alone = [nlp(text)._.mentions for text in texts]
    assert any(alone)
    for size in (2, 4):
        assert [doc._.mentions for doc in nlp.pipe(texts, batch_size=size)] == alone
    for _ in range(2):
        assert [doc._.mentions for doc in cached.pipe(texts)] == alone
