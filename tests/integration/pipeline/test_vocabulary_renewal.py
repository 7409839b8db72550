"""The vocabulary starts anew after many words, and nobody who reads notes can tell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import Doc, DocBin

import clinical_nlp
from clinical_nlp.pipeline.tokenizer import tokenizer

TEXTS = tuple(
    f"Paciente número{i} con disnea de esfuerzo{' y sin edemas' if i % 2 else ''}. Peso {i} kg. "
    f"Dra. Apellido{i * 7}. AP: HTA. NT-proBNP {1000 + i} pg/ml."
    for i in range(60)
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[Language]:
    monkeypatch.setattr(tokenizer, "MOST_WORDS", 50)
    yield clinical_nlp.load(reader=False)


def test_new_vocabularies_give_same_findings(nlp: Language, small: Language) -> None:
    expected = [nlp(text)._.findings for text in TEXTS]
    docs = list(small.pipe(TEXTS))
    assert len({id(doc.vocab) for doc in docs}) > 5
    assert [doc._.findings for doc in docs] == expected
    assert max(len(doc.vocab) for doc in docs) <= 50 + 40


def test_docs_outlive_their_vocabulary_s_turn(nlp: Language, small: Language) -> None:
    docs = list(small.pipe(TEXTS))
    assert [doc.text for doc in docs] == list(TEXTS)
    assert [[t.norm_ for t in doc] for doc in docs] == [[t.norm_ for t in nlp(t)] for t in TEXTS]
    copied = Doc(nlp.vocab).from_bytes(docs[3].to_bytes())
    assert copied._.findings == docs[3]._.findings
    stored = DocBin(docs=docs, store_user_data=True).to_bytes()
    restored = DocBin(store_user_data=True).from_bytes(stored).get_docs(nlp.vocab)
    assert [doc._.findings for doc in restored] == [doc._.findings for doc in docs]


def test_new_vocabulary_keeps_flags_of_the_user(small: Language) -> None:
    flag = small.vocab.add_flag(lambda word: word == "Dra")
    last = list(small.pipe(TEXTS))[-1]
    assert last.vocab is not small.vocab
    assert [token.text for token in last if token.check_flag(flag)] == ["Dra"]


def test_vocabulary_with_vectors_stays(small: Language) -> None:
    small.vocab.reset_vectors(width=4)
    small.vocab.set_vector("disnea", np.ones(4, dtype="float32"))
    docs = list(small.pipe(TEXTS))
    assert {id(doc.vocab) for doc in docs} == {id(small.vocab)}
