"""Segments, windows and batches hold every word once."""

from __future__ import annotations

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.neural.segments import LONGEST_WORD, segment
from clinical_nlp.neural.subwords import Pieces
from clinical_nlp.neural.windows import Window, by_length, tensors, windows
from clinical_nlp.pipeline.tokenizer import ClinicalTokenizer

VOCAB = spacy.blank("es").vocab
TOKENIZE = ClinicalTokenizer(VOCAB)


def doc_of(text, starts=(0,)):
    doc = TOKENIZE(text)
    for token in doc:
        token.is_sent_start = token.i in starts
    return doc


def words_of(doc, context):
    return [[doc[int(i)].text for i in part.tokens] for part in segment(doc, context)]


def test_segment_by_sentence_and_by_note():
    doc = doc_of("No disnea. Edemas.\n\n TA alta", starts=(0, 3, 6))
    assert words_of(doc, "sentence") == [["No", "disnea", "."], ["Edemas", "."], ["TA", "alta"]]
    assert words_of(doc, "note") == [["No", "disnea", ".", "Edemas", ".", "TA", "alta"]]


@pytest.mark.parametrize(
    ("most", "sizes"), [(1, [3, 2, 2]), (5, [5, 2]), (6, [5, 2]), (7, [7]), (99, [7])]
)
def test_segment_packs_sentences_up_to_a_number_of_words(most, sizes):
    doc = doc_of("No disnea. Edemas.\n\n TA alta", starts=(0, 3, 6))
    assert [len(words) for words in words_of(doc, most)] == sizes


def test_segment_text_and_offsets_are_those_of_its_words():
    doc = doc_of("  Niega\r\n tos 😀. ", starts=(0,))
    (part,) = segment(doc, "sentence")
    assert part.text == "Niega\r\n tos 😀."
    assert [part.text[a:b] for a, b in zip(part.starts, part.ends, strict=True)] == [
        "Niega",
        "tos",
        "😀",
        ".",
    ]


@pytest.mark.parametrize("text", ["", " ", "\r\n\t", "\u2003"])
def test_segment_of_white_space_yields_nothing(text):
    assert list(segment(TOKENIZE(text), "sentence")) == []


@pytest.mark.parametrize("context", ["sentence", "note", 50])
def test_segment_truncates_a_huge_word_in_a_segment_of_its_own(context):
    doc = doc_of("antes " + "x" * 100_000 + " después de")
    found = list(segment(doc, context))
    assert [len(part.tokens) for part in found] == [1, 1, 2]
    assert len(found[1].text) == LONGEST_WORD


@given(
    st.lists(st.sampled_from(["a", "bb", ".", "\n", " ", "x" * 600]), max_size=60),
    st.lists(st.booleans(), min_size=80, max_size=80),
    st.sampled_from(["sentence", "note", 1, 5, 20]),
)
def test_segment_puts_every_word_in_one_segment(parts, starts, context):
    doc = TOKENIZE(" ".join(parts))
    for token in doc:
        token.is_sent_start = starts[token.i % 80] or token.i == 0
    found = [int(i) for part in segment(doc, context) for i in part.tokens]
    assert found == [token.i for token in doc if not token.is_space]


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=200),
    st.integers(2, 40),
    st.data(),
)
def test_windows_hold_every_word_once_with_context(steps, room, data):
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
        assert window.ids[window.word_bounds[:, 0]].tolist() == first[window.words].tolist()
        # A word that reaches beyond its window ends there.
        ends = np.minimum(last[window.words], window.ids[-1])
        assert window.ids[window.word_bounds[:, 1]].tolist() == ends.tolist()
        # At least half the overlap on both sides, unless the part ends there.
        margin = overlap // 2
        for place in window.word_bounds[:, 0]:
            piece = int(window.ids[place])
            assert place >= min(margin, piece)
            assert len(window.ids) - 1 - place >= min(margin, size - 1 - piece) - 1


def test_by_length_groups_items_of_similar_length():
    lengths = [5, 100, 7, 6, 90]
    groups = list(by_length(lengths, 200))
    assert sorted(i for group in groups for i in group) == [0, 1, 2, 3, 4]
    assert groups[0] == [1, 4]
    assert all(len(g) * max(lengths[i] for i in g) <= 200 for g in groups)


def test_by_length_puts_a_long_item_in_its_own_batch():
    assert list(by_length([500, 3], 100)) == [[0], [1]]


def test_tensors_are_padded_with_special_ids():
    batch = [
        Window(np.array([7, 8, 9], dtype=np.int32), slice(0, 2), np.array([[0, 1], [2, 2]])),
        Window(np.array([5], dtype=np.int32), slice(0, 1), np.array([[0, 0]])),
    ]
    features = [np.array([[1], [2]]), np.array([[3]])]
    ids, mask, word_bounds, extra = tensors(batch, features, [101], [102], 99)
    assert ids.tolist() == [[101, 7, 8, 9, 102], [101, 5, 102, 99, 99]]
    assert mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert word_bounds.tolist() == [[[1, 2], [3, 3]], [[1, 1], [0, 0]]]
    assert extra.tolist() == [[[1], [2]], [[3], [0]]]
