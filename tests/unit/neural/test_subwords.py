"""Every word is aligned to a piece, in any text."""

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
    (part,) = found
    pieces = SubwordAligner(tokenizer)
    return part, pieces, pieces.read([part.text], [part.starts], [part.ends])[0]


def check(tokenizer, text):
    """Every word has a piece; where a piece overlaps the word, the word's piece does."""
    answer = read(tokenizer, text)
    if answer is None:
        return
    part, _, pieces = answer
    assert len(pieces.first) == len(part.tokens)
    assert pieces.ids.size
    assert ((pieces.first >= 0) & (pieces.first <= pieces.last)).all()
    assert (pieces.last < len(pieces.ids)).all()
    assert (np.diff(pieces.first) >= 0).all()
    encoding = tokenizer.backend_tokenizer.encode(part.text, add_special_tokens=False)
    if not encoding.ids:
        return
    assert pieces.ids.tolist() == encoding.ids
    spans = encoding.offsets
    for start, end, first in zip(part.starts, part.ends, pieces.first, strict=True):
        overlapping = [j for j, (a, b) in enumerate(spans) if a < end and b > start]
        beginning = [j for j in overlapping if spans[j][0] >= start]
        if overlapping:
            assert first in overlapping
            assert first <= (beginning or overlapping)[0]
        else:
            assert spans[first][1] <= start or first == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", TEXTS)
def test_aligner_aligns_difficult_texts(tokenizers, kind, text):
    check(tokenizers[kind], text)


@pytest.mark.parametrize("kind", KINDS)
def test_aligner_aligns_any_text(tokenizers, kind):
    characters = st.one_of(
        st.characters(exclude_categories=("Cs",)), st.sampled_from(" .,/\r\n\u0301\u200dáñﬁ😀")
    )

    @given(st.text(characters, max_size=60))
    def holds(text):
        check(tokenizers[kind], text)

    holds()


def test_aligner_gives_words_of_one_run_their_own_pieces(tokenizers):
    _, _, pieces = read(tokenizers["byte-level"], "FC80")
    assert len(pieces.first) == 2
    assert pieces.first[0] < pieces.first[1]


def test_aligner_gives_dropped_characters_an_unknown_piece(tokenizers):
    _, _, pieces = read(tokenizers["wordpiece"], "\u200b\x07")
    assert pieces.ids.tolist() == [1]  # [UNK]
    assert pieces.first.tolist() == [0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_aligner_finds_special_ids(tokenizers, kind):
    pieces = SubwordAligner(tokenizers[kind])
    assert (pieces.prefix, pieces.suffix, pieces.framing, pieces.pad) == ([2], [3], 2, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_aligner_reads_a_long_text_in_parts_to_the_same_pieces(tokenizers, kind, monkeypatch):
    text = " ".join(["Refiere disnea de esfuerzo, FC80;", "e\u0301stasis ﬁ 😀\r\n"] * 40)
    _, _, whole = read(tokenizers[kind], text)
    monkeypatch.setattr(words_module, "_LONGEST", 100)
    _, _, cut = read(tokenizers[kind], text)
    assert cut.ids.tolist() == whole.ids.tolist()
    assert cut.first.tolist() == whole.first.tolist()


def test_aligner_reads_a_long_text_without_white_space(tokenizers, monkeypatch):
    monkeypatch.setattr(words_module, "_LONGEST", 50)
    part, _, pieces = read(tokenizers["byte-level"], "disnea/" * 60)
    assert len(pieces.first) == len(part.tokens) == 120
    assert (np.diff(pieces.first) > 0).all()


def test_aligner_ignores_the_tokenizers_truncation(tokenizers):
    tokenizer = tokenizers["bpe"]
    tokenizer.backend_tokenizer.enable_truncation(4)
    try:
        part, _, pieces = read(tokenizer, "disnea " * 50)
    finally:
        tokenizer.backend_tokenizer.no_truncation()
    assert len(np.unique(pieces.first)) == len(part.tokens) == 50


@pytest.mark.parametrize("kind", KINDS)
def test_chunk_cache_equals_the_tokenizer(tokenizers, kind):
    """What a table of stretches answers is what the tokenizer makes of the whole text."""
    pieces = SubwordAligner(tokenizers[kind])
    assert (pieces._chunk_cache is not None) == (kind in PARTED)
    if pieces._chunk_cache is None:
        return
    characters = st.one_of(
        st.characters(exclude_categories=("Cs",)),
        st.sampled_from(" \u00a0\u2003.,/\r\n\t\x0b\x85\u0301\u200dáñﬁ😀"),
    )

    @given(st.lists(st.text(characters, max_size=40), min_size=1, max_size=4))
    def holds(texts):
        starts = [np.zeros(0, dtype=np.int32)] * len(texts)
        rows, counts = pieces._cut(texts, starts)
        looked_up, looked_up_counts = pieces._chunk_cache.read(texts)
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
def test_is_local_accepts_single_character_steps_only(pattern, content, local):
    step = {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}
    assert chunks._is_local(step) is local


def test_chunk_cache_when_full_is_emptied(tokenizers, monkeypatch):
    monkeypatch.setattr(chunks, "_MOST_CHUNKS", 3)
    (kind,) = PARTED
    pieces = SubwordAligner(tokenizers[kind])
    for text in ("disnea de esfuerzo leve", "edemas", "disnea y edemas"):
        counts = pieces._chunk_cache.read([text])[1]
        assert counts.sum() == len(
            tokenizers[kind].backend_tokenizer.encode(text, add_special_tokens=False).ids
        )
    assert len(pieces._chunk_cache._rows) == 3


def test_chunks_longer_than_the_limit_are_cut(tokenizers, monkeypatch):
    monkeypatch.setattr(chunks, "_LONGEST", 4)
    starts, ends = chunks._chunks("ab  abcdefghij\nabcd e")
    assert starts.tolist() == [0, 4, 8, 12, 15, 20]
    assert ends.tolist() == [2, 8, 12, 14, 19, 21]
