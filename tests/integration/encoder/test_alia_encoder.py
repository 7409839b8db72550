"""``alia_encoder`` in a pipeline: vectors on the doc, saved, stored and sent like any other."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin

from clinical_nlp.errors import ModelError
from clinical_nlp.pipeline.assembly import build, fingerprint

TEXTS = (
    "Refiere disnea de esfuerzo. No edemas.\r\n\r\nTA 13/8, FC80.",
    "",
    " \n ",
    "e\u0301stasis 😀. No edemas.",
)


def pipeline(model, **settings):
    nlp = build()
    nlp.add_pipe("alia_encoder", config={"model": str(model), **settings})
    return nlp


@pytest.fixture(scope="module")
def encoding(checkpoints):
    return pipeline(checkpoints["modernbert"])


@pytest.fixture(scope="module")
def expected(encoding):
    return [encoding(text)._.vectors for text in TEXTS]


def same(docs, expected):
    return all(
        np.array_equal(doc._.vectors, rows) for doc, rows in zip(docs, expected, strict=True)
    )


def test_encoder_gives_every_word_a_vector(encoding, expected):
    for text, rows in zip(TEXTS, expected, strict=True):
        doc = encoding(text)
        assert rows.shape == (len(doc), 64)
        assert rows.dtype == np.float32
        for token in doc:
            assert rows[token.i].any() == (not token.is_space)


def test_encoder_pipe_equals_one_by_one(encoding, expected):
    assert same(encoding.pipe(TEXTS), expected)
    assert same(encoding.pipe(TEXTS, batch_size=2), expected)


def test_encoder_repeated_sentence_has_the_same_vectors(encoding):
    one, other = encoding(TEXTS[0]), encoding(TEXTS[3])
    place = next(token.i for token in one if token.text == "edemas")
    elsewhere = next(token.i for token in other if token.text == "edemas")
    assert np.array_equal(one._.vectors[place], other._.vectors[elsewhere])


def test_findings_stay_what_they_were(encoding, nlp):
    assert encoding(TEXTS[0])._.findings == nlp(TEXTS[0])._.findings


def test_vectors_survive_doc_bin_and_bytes(encoding, expected):
    stored = DocBin(docs=list(encoding.pipe(TEXTS)), store_user_data=True).to_bytes()
    assert same(DocBin().from_bytes(stored).get_docs(encoding.vocab), expected)
    again = Doc(encoding.vocab).from_bytes(encoding(TEXTS[0]).to_bytes())
    assert same([again], expected[:1])


def test_encoder_in_two_processes_gives_the_same_vectors(encoding, expected):
    assert same(encoding.pipe(TEXTS, n_process=2, batch_size=2), expected)


def test_encoder_from_disk_gives_the_same_vectors(encoding, expected, tmp_path):
    encoding.to_disk(tmp_path / "saved")
    assert not list((tmp_path / "saved" / "alia_encoder").rglob("*.safetensors"))
    assert same(map(spacy.load(tmp_path / "saved"), TEXTS), expected)


def test_encoder_from_bytes_gives_the_same_vectors(encoding, expected):
    again = spacy.blank("es").from_config(encoding.config).from_bytes(encoding.to_bytes())
    assert same(map(again, TEXTS), expected)


def test_encoder_with_carry_saves_its_weights(broken_copy, expected, tmp_path):
    folder = broken_copy()
    nlp = pipeline(folder, carry=True)
    data = nlp.to_bytes()
    nlp.to_disk(tmp_path / "saved")
    shutil.rmtree(folder)
    assert same(map(spacy.load(tmp_path / "saved"), TEXTS), expected)
    again = spacy.blank("es").from_config(nlp.config).from_bytes(data)
    assert same(map(again, TEXTS), expected)


def test_saved_pipeline_with_another_encoder_raises_e445(broken_copy, tmp_path):
    folder = broken_copy()
    pipeline(folder).to_disk(tmp_path / "saved")
    weights = folder / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(ModelError) as caught:
        spacy.load(tmp_path / "saved")("Niega tos.")
    assert caught.value.code == "E445"


def test_fingerprint_differs_between_encoders(checkpoints, encoding):
    prints = {fingerprint(pipeline(checkpoints[kind])) for kind in ("modernbert", "bert")}
    assert len(prints | {fingerprint(encoding)}) == 2


def test_encoder_without_keep_stores_no_vectors(checkpoints):
    doc = pipeline(checkpoints["bert"], keep=False)(TEXTS[0])
    assert doc._.vectors is None


def test_encoder_works_without_our_tokenizer_and_sentences(checkpoints):
    nlp = spacy.blank("es")
    nlp.add_pipe("alia_encoder", config={"model": str(checkpoints["roberta"]), "context": 10})
    doc = nlp(TEXTS[0])
    assert doc._.vectors.shape == (len(doc), 64)


def test_encoder_with_unknown_context_raises_e447(checkpoints):
    with pytest.raises(ModelError) as caught:
        pipeline(checkpoints["bert"], context="paragraph")
    assert caught.value.code == "E447"


def test_building_needs_no_encoder():
    nlp = pipeline("not/here")
    assert nlp.config["components"]["alia_encoder"]["model"] == "not/here"
    with pytest.raises(ModelError):
        nlp("Niega tos.")


def test_default_encoder_is_the_shipped_one():
    nlp = build()
    nlp.add_pipe("alia_encoder")
    doc = nlp(TEXTS[0])
    hidden = nlp.get_pipe("alia_encoder").checkpoint.settings["hidden_size"]
    assert doc._.vectors.shape == (len(doc), hidden)
    words = [token.i for token in doc if not token.is_space]
    assert np.abs(doc._.vectors[words]).sum(axis=1).all()
