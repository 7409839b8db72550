"""Words and pieces: every word has its own piece, whatever the text is made of."""

from __future__ import annotations

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.neural import subwords as words_module
from clinical_nlp.neural import whitespace_chunks as chunks
from clinical_nlp.neural.segments import segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.pipeline.tokenizer import ClinicalTokenizer

KINDS = ("byte-level", "unigram", "wordpiece", "bpe", "own")
#: Those that part a text at white space before all else.
PARTED = ("own",)
TOKENIZE = ClinicalTokenizer(spacy.blank("es").vocab)

TEXTS = [
    "Disnea de esfuerzo.",
    "FC80 DM2 13/8 NT-proBNP",
    "e\u0301stasis, ﬁbrilación y ﬂutter ÁÉÍ \u00adblan\u00addo",
    "linea\r\n\r\nsiguiente\ttab",
    "😀 👩‍⚕️ ❤️ ✓ →",
    "\u200b\u200b disnea \ufeff",
    "ｆｕｌｌ ½ ² ㎎ Ⅳ",
    "a\x00b \x07 c",
    "日本語 и кириллица",
]


def read(tokenizer, text):
    doc = TOKENIZE(text)
    found = list(segment(doc, "note"))
    if not found:
        return None
    (unit,) = found
    pieces = SubwordAligner(tokenizer)
    return unit, pieces, pieces.read([unit.text], [unit.starts], [unit.ends])[0]


def check(tokenizer, text):
    """Every word has a piece; where a piece overlaps the word, the word's piece does."""
    answer = read(tokenizer, text)
    if answer is None:
        return
    unit, _, pieces = answer
    assert len(pieces.first) == len(unit.tokens)
    assert pieces.ids.size
    assert ((pieces.first >= 0) & (pieces.first <= pieces.last)).all()
    assert (pieces.last < len(pieces.ids)).all()
    assert (np.diff(pieces.first) >= 0).all()
    encoding = tokenizer.backend_tokenizer.encode(unit.text, add_special_tokens=False)
    if not encoding.ids:
        return
    assert pieces.ids.tolist() == encoding.ids
    spans = encoding.offsets
    for start, end, first in zip(unit.starts, unit.ends, pieces.first, strict=True):
        overlapping = [j for j, (a, b) in enumerate(spans) if a < end and b > start]
        beginning = [j for j in overlapping if spans[j][0] >= start]
        if overlapping:
            assert first in overlapping
            assert first <= (beginning or overlapping)[0]
        else:
            assert spans[first][1] <= start or first == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", TEXTS)
def test_known_trouble(tokenizers, kind, text):
    check(tokenizers[kind], text)


@pytest.mark.parametrize("kind", KINDS)
def test_any_text(tokenizers, kind):
    characters = st.one_of(
        st.characters(exclude_categories=("Cs",)), st.sampled_from(" .,/\r\n\u0301\u200dáñﬁ😀")
    )

    @given(st.text(characters, max_size=60))
    def holds(text):
        check(tokenizers[kind], text)

    holds()


def test_words_that_share_a_run_have_pieces_of_their_own(tokenizers):
    _, _, pieces = read(tokenizers["byte-level"], "FC80")
    assert len(pieces.first) == 2
    assert pieces.first[0] < pieces.first[1]


def test_nothing_but_dropped_characters_still_has_a_piece(tokenizers):
    _, _, pieces = read(tokenizers["wordpiece"], "\u200b\x07")
    assert pieces.ids.tolist() == [1]  # [UNK]
    assert pieces.first.tolist() == [0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_special_ids_are_found(tokenizers, kind):
    pieces = SubwordAligner(tokenizers[kind])
    assert (pieces.prefix, pieces.suffix, pieces.framing, pieces.pad) == ([2], [3], 2, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_text_is_read_in_stretches_to_the_same_pieces(tokenizers, kind, monkeypatch):
    text = " ".join(["Refiere disnea de esfuerzo, FC80;", "e\u0301stasis ﬁ 😀\r\n"] * 40)
    _, _, whole = read(tokenizers[kind], text)
    monkeypatch.setattr(words_module, "_LONGEST", 100)
    _, _, cut = read(tokenizers[kind], text)
    assert cut.ids.tolist() == whole.ids.tolist()
    assert cut.first.tolist() == whole.first.tolist()


def test_a_long_text_without_white_space_is_read_too(tokenizers, monkeypatch):
    monkeypatch.setattr(words_module, "_LONGEST", 50)
    unit, _, pieces = read(tokenizers["byte-level"], "disnea/" * 60)
    assert len(pieces.first) == len(unit.tokens) == 120
    assert (np.diff(pieces.first) > 0).all()


def test_the_tokenizers_own_truncation_is_left_behind(tokenizers):
    tokenizer = tokenizers["bpe"]
    tokenizer.backend_tokenizer.enable_truncation(4)
    try:
        unit, _, pieces = read(tokenizer, "disnea " * 50)
    finally:
        tokenizer.backend_tokenizer.no_truncation()
    assert len(np.unique(pieces.first)) == len(unit.tokens) == 50


@pytest.mark.parametrize("kind", KINDS)
def test_looking_stretches_up_changes_nothing(tokenizers, kind):
    """What a table of stretches answers is what the tokenizer makes of the whole text."""
    pieces = SubwordAligner(tokenizers[kind])
    assert (pieces._table is not None) == (kind in PARTED)
    if pieces._table is None:
        return
    characters = st.one_of(
        st.characters(exclude_categories=("Cs",)),
        st.sampled_from(" \u00a0\u2003.,/\r\n\t\x0b\x85\u0301\u200dáñﬁ😀"),
    )

    @given(st.lists(st.text(characters, max_size=40), min_size=1, max_size=4))
    def holds(texts):
        starts = [np.zeros(0, dtype=np.int32)] * len(texts)
        rows, counts = pieces._cut(texts, starts)
        looked_up, looked_up_counts = pieces._table.read(texts)
        assert counts.tolist() == looked_up_counts.tolist()
        assert rows.tolist() == looked_up.tolist()

    holds()


@pytest.mark.parametrize(
    ("pattern", "content", "local"),
    [
        (r"[\p{M}\u00ad]", "", True),
        (r"[\p{M}]", "", True),
        (r"[\u0000-\u0020]", "", False),  # takes blanks away
        (r"[\u00ad]", " ", False),  # makes blanks
        (r"a b", "", False),
        (r"[\u00ad]+", "", False),
    ],
)
def test_only_what_sees_one_character_is_local(pattern, content, local):
    step = {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}
    assert chunks._is_local(step) is local


def test_a_full_table_begins_anew(tokenizers, monkeypatch):
    monkeypatch.setattr(chunks, "_MOST_STRETCHES", 3)
    (kind,) = PARTED
    pieces = SubwordAligner(tokenizers[kind])
    for text in ("disnea de esfuerzo leve", "edemas", "disnea y edemas"):
        counts = pieces._table.read([text])[1]
        assert counts.sum() == len(
            tokenizers[kind].backend_tokenizer.encode(text, add_special_tokens=False).ids
        )
    assert len(pieces._table._rows) == 3


def test_what_is_longer_than_any_word_is_cut(tokenizers, monkeypatch):
    monkeypatch.setattr(chunks, "_LONGEST", 4)
    starts, ends = chunks._stretches("ab  abcdefghij\nabcd e")
    assert starts.tolist() == [0, 4, 8, 12, 15, 20]
    assert ends.tolist() == [2, 8, 12, 14, 19, 21]
