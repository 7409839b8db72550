"""What the encoder sees at once: no word twice, none lost."""

from __future__ import annotations

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.neural.batches import by_length, tensors
from clinical_nlp.neural.segments import LONGEST_WORD, segment
from clinical_nlp.neural.subwords import Pieces
from clinical_nlp.neural.windows import Window, windows
from clinical_nlp.pipeline.tokenizer import ClinicalTokenizer

VOCAB = spacy.blank("es").vocab
TOKENIZE = ClinicalTokenizer(VOCAB)


def doc_of(text, starts=(0,)):
    doc = TOKENIZE(text)
    for token in doc:
        token.is_sent_start = token.i in starts
    return doc


def words_of(doc, context):
    return [[doc[int(i)].text for i in unit.tokens] for unit in segment(doc, context)]


def test_sentences_and_notes():
    doc = doc_of("No disnea. Edemas.\n\n TA alta", starts=(0, 3, 6))
    assert words_of(doc, "sentence") == [["No", "disnea", "."], ["Edemas", "."], ["TA", "alta"]]
    assert words_of(doc, "note") == [["No", "disnea", ".", "Edemas", ".", "TA", "alta"]]


@pytest.mark.parametrize(
    ("most", "sizes"), [(1, [3, 2, 2]), (5, [5, 2]), (6, [5, 2]), (7, [7]), (99, [7])]
)
def test_sentences_are_packed_up_to_so_many_words(most, sizes):
    doc = doc_of("No disnea. Edemas.\n\n TA alta", starts=(0, 3, 6))
    assert [len(words) for words in words_of(doc, most)] == sizes


def test_the_text_of_a_unit_is_that_of_its_words():
    doc = doc_of("  Niega\r\n tos 😀. ", starts=(0,))
    (unit,) = segment(doc, "sentence")
    assert unit.text == "Niega\r\n tos 😀."
    assert [unit.text[a:b] for a, b in zip(unit.starts, unit.ends, strict=True)] == [
        "Niega",
        "tos",
        "😀",
        ".",
    ]


@pytest.mark.parametrize("text", ["", " ", "\r\n\t", "\u2003"])
def test_no_words_no_units(text):
    assert list(segment(TOKENIZE(text), "sentence")) == []


@pytest.mark.parametrize("context", ["sentence", "note", 50])
def test_a_huge_word_stands_alone_and_is_cut(context):
    doc = doc_of("antes " + "x" * 100_000 + " después de")
    found = list(segment(doc, context))
    assert [len(unit.tokens) for unit in found] == [1, 1, 2]
    assert len(found[1].text) == LONGEST_WORD


@given(
    st.lists(st.sampled_from(["a", "bb", ".", "\n", " ", "x" * 600]), max_size=60),
    st.lists(st.booleans(), min_size=80, max_size=80),
    st.sampled_from(["sentence", "note", 1, 5, 20]),
)
def test_every_word_is_in_one_unit(parts, starts, context):
    doc = TOKENIZE(" ".join(parts))
    for token in doc:
        token.is_sent_start = starts[token.i % 80] or token.i == 0
    found = [int(i) for unit in segment(doc, context) for i in unit.tokens]
    assert found == [token.i for token in doc if not token.is_space]


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=200),
    st.integers(2, 40),
    st.data(),
)
def test_windows_hold_every_word_once_with_what_surrounds_it(steps, room, data):
    first = np.cumsum([0, *steps[1:]]).astype(np.int32)
    size = int(first[-1]) + 1 + data.draw(st.integers(0, 5))
    last = np.maximum(first, np.append(first[1:], size) - 1).astype(np.int32)
    ids = np.arange(size, dtype=np.int32)
    overlap = data.draw(st.integers(0, room - 1))
    laid = windows(Pieces(ids, first, last), room, overlap)
    seen = [word for window in laid for word in range(window.words.start, window.words.stop)]
    assert seen == list(range(len(first)))
    for window in laid:
        assert len(window.ids) <= room
        assert window.ids[window.places[:, 0]].tolist() == first[window.words].tolist()
        # A word that reaches beyond its window ends there.
        ends = np.minimum(last[window.words], window.ids[-1])
        assert window.ids[window.places[:, 1]].tolist() == ends.tolist()
        # At least half the overlap on both sides, unless the unit ends there.
        margin = overlap // 2
        for place in window.places[:, 0]:
            piece = int(window.ids[place])
            assert place >= min(margin, piece)
            assert len(window.ids) - 1 - place >= min(margin, size - 1 - piece) - 1


def test_batches_hold_what_has_like_length():
    lengths = [5, 100, 7, 6, 90]
    groups = list(by_length(lengths, 200))
    assert sorted(i for group in groups for i in group) == [0, 1, 2, 3, 4]
    assert groups[0] == [1, 4]
    assert all(len(g) * max(lengths[i] for i in g) <= 200 for g in groups)


def test_an_item_longer_than_a_batch_stands_alone():
    assert list(by_length([500, 3], 100)) == [[0], [1]]


def test_tensors_are_padded_and_framed():
    batch = [
        Window(np.array([7, 8, 9], dtype=np.int32), slice(0, 2), np.array([[0, 1], [2, 2]])),
        Window(np.array([5], dtype=np.int32), slice(0, 1), np.array([[0, 0]])),
    ]
    features = [np.array([[1], [2]]), np.array([[3]])]
    ids, mask, places, extra = tensors(batch, features, [101], [102], 99)
    assert ids.tolist() == [[101, 7, 8, 9, 102], [101, 5, 102, 99, 99]]
    assert mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert places.tolist() == [[[1, 2], [3, 3]], [[1, 1], [0, 0]]]
    assert extra.tolist() == [[[1], [2]], [[3], [0]]]
