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


def test_every_word_has_a_vector(encoding, expected):
    for text, rows in zip(TEXTS, expected, strict=True):
        doc = encoding(text)
        assert rows.shape == (len(doc), 64)
        assert rows.dtype == np.float32
        for token in doc:
            assert rows[token.i].any() == (not token.is_space)


def test_one_by_one_and_many_at_once_are_the_same(encoding, expected):
    assert same(encoding.pipe(TEXTS), expected)
    assert same(encoding.pipe(TEXTS, batch_size=2), expected)


def test_the_same_sentence_has_the_same_vectors_in_any_note(encoding):
    one, other = encoding(TEXTS[0]), encoding(TEXTS[3])
    place = next(token.i for token in one if token.text == "edemas")
    elsewhere = next(token.i for token in other if token.text == "edemas")
    assert np.array_equal(one._.vectors[place], other._.vectors[elsewhere])


def test_findings_stay_what_they_were(encoding, nlp):
    assert encoding(TEXTS[0])._.findings == nlp(TEXTS[0])._.findings


def test_doc_bin_and_bytes(encoding, expected):
    stored = DocBin(docs=list(encoding.pipe(TEXTS)), store_user_data=True).to_bytes()
    assert same(DocBin().from_bytes(stored).get_docs(encoding.vocab), expected)
    again = Doc(encoding.vocab).from_bytes(encoding(TEXTS[0]).to_bytes())
    assert same([again], expected[:1])


def test_two_processes(encoding, expected):
    assert same(encoding.pipe(TEXTS, n_process=2, batch_size=2), expected)


def test_to_disk_and_back(encoding, expected, tmp_path):
    encoding.to_disk(tmp_path / "saved")
    assert not list((tmp_path / "saved" / "alia_encoder").rglob("*.safetensors"))
    assert same(map(spacy.load(tmp_path / "saved"), TEXTS), expected)


def test_to_bytes_and_back(encoding, expected):
    again = spacy.blank("es").from_config(encoding.config).from_bytes(encoding.to_bytes())
    assert same(map(again, TEXTS), expected)


def test_the_weights_can_be_carried(broken_copy, expected, tmp_path):
    folder = broken_copy()
    nlp = pipeline(folder, carry=True)
    data = nlp.to_bytes()
    nlp.to_disk(tmp_path / "saved")
    shutil.rmtree(folder)
    assert same(map(spacy.load(tmp_path / "saved"), TEXTS), expected)
    again = spacy.blank("es").from_config(nlp.config).from_bytes(data)
    assert same(map(again, TEXTS), expected)


def test_a_saved_pipeline_refuses_another_encoder_of_that_name(broken_copy, tmp_path):
    folder = broken_copy()
    pipeline(folder).to_disk(tmp_path / "saved")
    weights = folder / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(ModelError) as caught:
        spacy.load(tmp_path / "saved")("Niega tos.")
    assert caught.value.code == "E445"


def test_the_fingerprint_tells_encoders_apart(checkpoints, encoding):
    prints = {fingerprint(pipeline(checkpoints[kind])) for kind in ("modernbert", "bert")}
    assert len(prints | {fingerprint(encoding)}) == 2


def test_nothing_is_kept_where_nothing_shall_be(checkpoints):
    doc = pipeline(checkpoints["bert"], keep=False)(TEXTS[0])
    assert doc._.vectors is None


def test_any_tokenizer_and_no_sentences_will_do(checkpoints):
    nlp = spacy.blank("es")
    nlp.add_pipe("alia_encoder", config={"model": str(checkpoints["roberta"]), "context": 10})
    doc = nlp(TEXTS[0])
    assert doc._.vectors.shape == (len(doc), 64)


def test_a_context_that_is_none_is_refused(checkpoints):
    with pytest.raises(ModelError) as caught:
        pipeline(checkpoints["bert"], context="paragraph")
    assert caught.value.code == "E447"


def test_building_and_saving_the_config_need_no_encoder():
    nlp = pipeline("not/here")
    assert nlp.config["components"]["alia_encoder"]["model"] == "not/here"
    with pytest.raises(ModelError):
        nlp("Niega tos.")


def test_the_encoder_that_comes_with_the_package_is_the_default():
    nlp = build()
    nlp.add_pipe("alia_encoder")
    doc = nlp(TEXTS[0])
    hidden = nlp.get_pipe("alia_encoder").checkpoint.settings["hidden_size"]
    assert doc._.vectors.shape == (len(doc), hidden)
    words = [token.i for token in doc if not token.is_space]
    assert np.abs(doc._.vectors[words]).sum(axis=1).all()
