"""Tags spell spans and spans come back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.neural.tagger.labels import ALLOWED, MAY_START, MAY_STOP, spans_of, tags_of


@st.composite
def separate_spans(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int]:
    """Spans in order that do not overlap, and a length that holds them."""
    spans, place = [], 0
    for gap, size in draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=0, max_size=8)
    ):
        spans.append((place + gap, place + gap + size - 1))
        place += gap + size
    return spans, place + draw(st.integers(0, 3))


@given(separate_spans())
def test_spans_of_inverts_tags_of(made: tuple[list[tuple[int, int]], int]) -> None:
    spans, words = made
    assert list(spans_of(tags_of(spans, words))) == spans


@given(separate_spans())
def test_tags_of_follow_the_allowed_transitions(made: tuple[list[tuple[int, int]], int]) -> None:
    tags = tags_of(*made)
    if len(tags):
        assert MAY_START[tags[0]]
        assert MAY_STOP[tags[-1]]
        assert ALLOWED[tags[:-1], tags[1:]].all()


def test_tags_of_overlapping_spans_keep_the_longer() -> None:
    assert list(spans_of(tags_of([(1, 1), (0, 3), (3, 4)], 6))) == [(0, 3)]


def test_spans_of_omits_a_mention_without_end() -> None:
    assert list(spans_of(np.array([1, 2, 0, 4]))) == [(3, 3)]
