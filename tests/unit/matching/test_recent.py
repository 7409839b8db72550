"""The cache of recent words gives what it would compute, and stays small."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.matching.recent import RecentWords


@given(st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=30))
def test_recent_words_any_notes_get_computed_values(notes: list[list[int]]) -> None:
    cache = RecentWords[int, str](most=5)
    for note in notes:
        known = cache.of(note, str)
        assert [known[word] for word in note] == [str(word) for word in note]
        assert len(cache) <= 2 * (5 + 12)


def test_recent_words_frequent_word_is_computed_once() -> None:
    cache, computed = RecentWords[int, int](most=10), []

    def make(word: int) -> int:
        computed.append(word)
        return word

    for note in range(1000):
        cache.of((-1, note), make)
    assert computed.count(-1) == 1
    assert len(computed) == 1001
    assert len(cache) <= 24
