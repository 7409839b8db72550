"""Look-up of the section of a token."""

from __future__ import annotations

import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span

from clinical_nlp.pipeline.document import SECTIONS, Sections

_WORDS = 12
_VOCAB = spacy.blank("es").vocab


def doc_with(spans: list[tuple[int, int]]) -> Doc:
    doc = Doc(_VOCAB, words=["palabra"] * _WORDS)
    doc.spans[SECTIONS] = [Span(doc, s, e, label=f"{s}-{e}") for s, e in spans]
    return doc


places = st.tuples(st.integers(0, _WORDS - 1), st.integers(1, _WORDS)).map(
    lambda pair: (pair[0], max(pair[0] + 1, pair[1]))
)


@given(st.lists(places, max_size=6, unique_by=lambda place: place[0]))
def test_sections_at_returns_last_opened_section(
    spans: list[tuple[int, int]],
) -> None:
    sections = Sections(doc_with(spans))
    for token in range(_WORDS):
        around = [span for span in sorted(spans) if span[0] <= token < span[1]]
        expected = f"{around[-1][0]}-{around[-1][1]}" if around else None
        assert sections.at(token) == expected


def test_sections_at_without_sections_returns_none() -> None:
    assert Sections(Doc(_VOCAB, words=["palabra"])).at(0) is None
