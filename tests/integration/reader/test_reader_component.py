"""``es_reader`` in a pipeline: saved, sent to processes, stored, and given bad input."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin

import clinical_nlp
from clinical_nlp.batch.extraction import NoteReader, NoteReading, load_pipeline, read_texts
from clinical_nlp.batch.note_rows import assert_row, extract_row
from clinical_nlp.errors import ModelError
from clinical_nlp.neural.reader.files import CONFIG, WEIGHTS, find_reader
from clinical_nlp.neural.reader.inference import InferenceReader
from clinical_nlp.neural.reader.model import load_reader
from clinical_nlp.neural.reader.network import FLAG_COUNT
from clinical_nlp.pipeline.assembly import build, fingerprint

TEXTS = [
    "Refiere disnea desde ayer. Tos nunca. Su padre tuvo ortopnea. TA 130/80.",
    "Niega\n- disnea\n- ortopnea\nSi aparece tos, que vuelva.",
    "",
    " \n ",
    "Ortopnea " * 300,
]


def rows(doc: Doc) -> list[tuple[object, ...]]:
    return [(f.start, f.end, f.concept, f.flags, f.source, f.probability) for f in doc._.findings]


@pytest.fixture(scope="module")
def reading(reader_bench: Path) -> spacy.Language:
    nlp = build()
    nlp.add_pipe("es_reader", config={"model": str(reader_bench / "reader"), "backend": "float32"})
    return nlp


def test_findings_say_who_decided_and_how_sure(reading: spacy.Language) -> None:
    doc = reading(TEXTS[0])
    plain = [f for f in doc._.findings if f.value is None]
    assert plain
    assert all(f.probability is not None and 0 <= f.probability <= 1 for f in plain)
    assert {f.source for f in doc._.findings} <= {"lexicon", "measurement", "reader"}
    assert all(doc.text[f.start : f.end] == f.text for f in doc._.findings)


def test_measurements_of_the_rules_stay(reading: spacy.Language) -> None:
    of_rules = [f for f in build()(TEXTS[0])._.findings if f.value is not None]
    assert [f for f in reading(TEXTS[0])._.findings if f in of_rules] == of_rules


def test_same_findings_whatever_the_batch_and_processes(reading: spacy.Language) -> None:
    component: Any = reading.get_pipe("es_reader")
    alone = []
    for text in TEXTS:
        component.clear_cache()
        alone.append(rows(reading(text)))
    for size in (1, 2, 64):
        component.clear_cache()
        assert [rows(doc) for doc in reading.pipe(TEXTS, batch_size=size)] == alone
    assert [rows(doc) for doc in reading.pipe(TEXTS, n_process=2, batch_size=1)] == alone


def test_saved_pipeline_finds_the_same(reading: spacy.Language, tmp_path: Path) -> None:
    reading.to_disk(tmp_path / "saved")
    again = spacy.load(tmp_path / "saved")
    assert rows(again(TEXTS[0])) == rows(reading(TEXTS[0]))
    assert fingerprint(again) == fingerprint(reading)
    assert (tmp_path / "saved" / "es_reader" / "model" / WEIGHTS).is_file()


def test_docs_survive_doc_bin(reading: spacy.Language) -> None:
    docs = list(reading.pipe(TEXTS))
    stored = DocBin(docs=docs, store_user_data=True).to_bytes()
    again = DocBin().from_bytes(stored).get_docs(reading.vocab)
    assert [rows(doc) for doc in again] == [rows(doc) for doc in docs]


def test_from_bytes_with_another_reader_raises_e473(reading: spacy.Language) -> None:
    component: Any = reading.get_pipe("es_reader")
    described = json.loads(component.to_bytes()) | {"digest": "0" * 64}
    other = build()
    other.add_pipe("es_reader", config={"model": component.settings.model})
    changed: Any = other.get_pipe("es_reader")
    with pytest.raises(ModelError, match="E473"):
        changed.from_bytes(json.dumps(described).encode())(other.make_doc("Tos"))


def test_missing_reader_raises_e470() -> None:
    with pytest.raises(ModelError, match="E470"):
        find_reader("nowhere")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        (WEIGHTS, b"x", "E471"),
        (CONFIG, b"{", "E471"),
        (CONFIG, b'{"format": 9}', "E472"),
        (CONFIG, b'{"format": 1, "concepts": []}', "E472"),
    ],
)
def test_damaged_reader_is_named(
    reader_bench: Path, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    shutil.copytree(reader_bench / "reader" / "model", tmp_path / "model")
    (tmp_path / "model" / name).write_bytes(content)
    with pytest.raises(ModelError, match=code):
        load_reader(tmp_path / "model")


def with_reader(folder: Path, **settings: object) -> spacy.Language:
    nlp = build()
    nlp.add_pipe("es_reader", config={"model": str(folder), **settings})
    return nlp


def test_config_of_an_earlier_version_raises_e472(reader_bench: Path, tmp_path: Path) -> None:
    shutil.copytree(reader_bench / "reader" / "model", tmp_path / "model")
    config = json.loads((tmp_path / "model" / CONFIG).read_text("utf-8"))
    del config["measures"]
    (tmp_path / "model" / CONFIG).write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelError, match="E472"):
        with_reader(tmp_path)(TEXTS[0])


def test_damaged_reader_ends_a_run_and_quarantines_no_note(
    reader_bench: Path, tmp_path: Path
) -> None:
    shutil.copytree(reader_bench / "reader" / "model", tmp_path / "model")
    (tmp_path / "model" / WEIGHTS).write_bytes(b"x")
    with pytest.raises(ModelError, match="E471"):
        read_texts(with_reader(tmp_path), TEXTS)


def test_found_by_the_reader_stands_in_its_section(reader_bench: Path) -> None:
    nlp = with_reader(reader_bench / "reader", backend="float32")
    component: Any = nlp.get_pipe("es_reader")
    names, vocabulary, rule = component._described
    vars(component)["_described"] = names, vocabulary, replace(rule, found=0.0)
    place = next(n for n, key in enumerate(names.concepts, 1) if key not in names.measures)
    row = [0.0] * FLAG_COUNT + [0.1, place, 0.9]  # every word is of that concept

    class Engine:
        def run(self, docs: list[Doc], features: object) -> list[Any]:
            return [np.tile(np.array(row, dtype=np.float32), (len(doc), 1)) for doc in docs]

    component._engine = Engine()
    doc = nlp("Antecedentes familiares: padre sano.\nExploración: tranquilo, bien perfundido.")
    found = [f for f in doc._.findings if f.source == "reader"]
    assert {f.section for f in found if f.end <= 36} == {"family_history"}
    assert {f.section for f in found if f.start > 36} == {"examination"}


@pytest.mark.parametrize("backend", ["float32", "int8"])
def test_same_bytes_whatever_was_read_before(reader_bench: Path, backend: str) -> None:
    nlp = with_reader(reader_bench / "reader", backend=backend)
    alone = [rows(nlp(text)) for text in TEXTS]
    again = [rows(doc) for doc in nlp.pipe(reversed(TEXTS * 2), batch_size=3)]
    assert again[: len(TEXTS)] == again[len(TEXTS) :] == alone[::-1]


def test_inference_network_gives_what_the_network_gives(reader_bench: Path) -> None:
    network = load_reader(reader_bench / "reader" / "model").network
    draw = torch.Generator().manual_seed(0)
    pieces = network.encoder.get_input_embeddings().num_embeddings
    ids = torch.randint(5, int(pieces), (3, 12), generator=draw)
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    bounds = torch.zeros((3, 5, 2), dtype=torch.int64)
    bounds[:, :, 0] = torch.tensor([1, 3, 4, 6, 8])
    bounds[:, :, 1] = torch.tensor([2, 3, 5, 7, 8])
    bounds[2, 4] = 0
    features = torch.randint(0, 3, (3, 5, 5), generator=draw)
    features[2, 4] = 0
    with torch.no_grad():
        plain = network(ids, mask, bounds, features)
        fast = InferenceReader(network)(ids, mask, bounds, features)
        alone = InferenceReader(network)(ids[:1], mask[:1], bounds[:1], features[:1])
    is_word = (bounds[..., 0] > 0).numpy()
    assert np.allclose(plain.numpy()[is_word], fast.numpy()[is_word], atol=1e-4)
    assert torch.equal(alone[0], fast[0])


@given(st.text(alphabet="disnea ortopnea no,.;:\n\t0123456789/%¿?áÁñ()[]xX-", max_size=200))
def test_any_note_is_read(reading: spacy.Language, text: str) -> None:
    doc = reading(text)
    places = [(f.start, f.end) for f in doc._.findings]
    assert places == sorted(places)
    assert all(text[f.start : f.end] == f.text for f in doc._.findings)


def test_extract_and_assert_rows_are_by_the_reader(reading: spacy.Language) -> None:
    row = extract_row(reading, {"id": 1, "text": TEXTS[0]})
    assert all("probability" in f for f in row["findings"] if "value" not in f)
    target = {"start": 8, "end": 14}
    answer = assert_row(reading, {"id": 1, "text": TEXTS[0], "targets": [target]})
    assert answer["targets"][0].keys() >= {"negated", "uncertain", "family"}


def test_shipped_reader_reads_by_default_and_alike_in_processes() -> None:
    nlp = clinical_nlp.load()
    assert nlp.pipe_names[-1] == "es_reader"
    assert "es_reader" not in clinical_nlp.load(reader=False).pipe_names
    with NoteReader(load_pipeline(mentions=False)) as one:
        alone = next(iter(one.read([TEXTS])))
    with NoteReader(nlp, processes=2) as two:
        shared = next(iter(two.read([TEXTS])))
    assert alone == shared
    assert all(isinstance(outcome, NoteReading) for outcome in alone)
