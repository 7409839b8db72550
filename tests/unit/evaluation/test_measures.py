"""Counts, intervals and pairing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.evaluation.measures import pair_overlaps, score
from clinical_nlp.evaluation.splits import Part

spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda x: (x[0], x[0] + x[1])),
    max_size=8,
)


def test_score_pooled_counts_match_hand_calculation() -> None:
    pooled = score([(1, 2, 1), (1, 1, 3)])
    assert (pooled.precision, pooled.recall) == (pytest.approx(2 / 3), pytest.approx(2 / 4))
    assert pooled.f1 == pytest.approx(4 / 7)
    assert pooled.low <= pooled.f1 <= pooled.high


def test_score_without_gold_or_predictions_is_zero() -> None:
    assert score([]).f1 == score([(0, 0, 0)]).f1 == 0.0


def test_score_perfect_notes_have_interval_of_one() -> None:
    pooled = score([(3, 3, 3)] * 5)
    assert (pooled.low, pooled.f1, pooled.high) == (1.0, 1.0, 1.0)


@given(spans, spans)
def test_pair_overlaps_pairs_one_to_one(
    gold: list[tuple[int, int]], found: list[tuple[int, int]]
) -> None:
    pairs = pair_overlaps(gold, found, lambda s: s, lambda a, b: True)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(gold[i][0] < found[j][1] and found[j][0] < gold[i][1] for i, j in pairs)


@given(spans)
def test_pair_overlaps_with_itself_pairs_all(gold: list[tuple[int, int]]) -> None:
    assert len(pair_overlaps(gold, gold, lambda s: s, lambda a, b: a == b)) == len(gold)


def test_pair_overlaps_prefers_longest_overlap() -> None:
    assert pair_overlaps([(0, 10)], [(0, 2), (1, 10)], lambda s: s, lambda a, b: True) == [(0, 1)]


@given(st.text(max_size=12))
def test_part_every_note_is_in_one_part(note_id: str) -> None:
    assert Part.ALL.holds(note_id)
    assert Part.TUNE.holds(note_id) != Part.HELD_OUT.holds(note_id)


def test_part_held_out_is_about_a_fifth() -> None:
    share = sum(Part.HELD_OUT.holds(f"note-{i}") for i in range(2000)) / 2000
    assert 0.17 < share < 0.24
