"""Cue phrases and their matcher."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.automaton import ANY
from clinical_nlp.matching.cues import END, START, TARGET, CueMatcher, Match, compile_cue, prune
from clinical_nlp.matching.syntax import Choice, Pattern

MACROS = {"month": ["enero", "Março"]}


def find(form: str, text: str) -> list[tuple[int, int]]:
    matcher = CueMatcher([compile_cue(form, MACROS, "test")])
    return [(m.start, m.end) for m in matcher.find(text.split())]


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        ("no", "hoy no tos", [(1, 2)]),
        ("no|sin", "sin tos", [(0, 1)]),
        ("no [se] aprecia", "no aprecia", [(0, 2)]),
        ("no [se] aprecia", "no se aprecia", [(0, 3)]),
        ("en {month}", "en marco", [(0, 2)]),
        ("en #year", "en 2012", [(0, 2)]),
        ("en #year", "en 40", []),
        ("hace # años", "hace 2012 anos", [(0, 3)]),
        ("Sí", "si", [(0, 1)]),
        ("no * de", "no mejora de", [(0, 3)]),
        ("no * de", "no , de", []),
        ("no #end", f"no {END}", [(0, 2)]),
        ("#start si", f"{START} si", [(0, 2)]),
        ("no *", f"no {TARGET}", []),
        ("?", "tos ?", [(1, 2)]),
    ],
)
def test_cue_of_each_construct_matches_its_words(
    form: str, text: str, found: list[tuple[int, int]]
) -> None:
    assert find(form, text) == found


@pytest.mark.parametrize("form", ["", "[no]", "{nothing}", "#hour"])
def test_compile_cue_unusable_form_raises_e320(form: str) -> None:
    with pytest.raises(PipelineError) as caught:
        compile_cue(form, MACROS, "test")
    assert caught.value.code == "E320"


WORDS = st.sampled_from(["a", "b", "c", "7", "1999", ",", "otra"])
ELEMENTS = st.sampled_from(["a", "(b|c)", "[a]", "[b]", "#", "#year", "*", ","])


@given(st.lists(st.lists(ELEMENTS, min_size=1, max_size=4), max_size=4), st.lists(WORDS))
def test_find_equals_trying_every_pattern_everywhere(
    rows: list[list[str]], words: list[str]
) -> None:
    forms = [
        compile_cue(" ".join(row), {}, "test")
        for row in rows
        if any(not e.startswith("[") for e in row)
    ]

    def fits(symbol: str, word: str) -> bool:
        return (
            symbol == f"w:{word}"
            or (symbol == "#" and word[0].isdigit())
            or (symbol == "#year" and word == "1999")
            or (symbol == ANY and word[0].isalpha())
        )

    def ends(pattern: Pattern, at: int) -> set[int]:
        if isinstance(pattern, str):
            return {at + 1} if at < len(words) and fits(pattern, words[at]) else set()
        if isinstance(pattern, Choice):
            return {end for option in pattern.options for end in ends(option, at)}
        reached = {at}
        for part in pattern.parts:
            reached = {end for place in reached for end in ends(part, place)}
        return reached

    expected = []
    for start in range(len(words)):
        reached = {f: ends(form, start) for f, form in enumerate(forms)}
        best = max((e for es in reached.values() for e in es), default=start)
        if best > start:
            hit = tuple(f for f, es in reached.items() if best in es)
            expected.append(Match(start, best, hit))
    assert CueMatcher(forms).find(words) == expected


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5)), unique_by=lambda m: m[0]))
def test_prune_keeps_disjoint_matches_and_the_longest(
    spans: list[tuple[int, int]],
) -> None:
    matches = [Match(s, s + n, (0,)) for s, n in sorted(spans)]
    kept = prune(matches)
    assert all(a.end <= b.start for a, b in itertools.pairwise(kept))
    longest = max((m.end - m.start for m in matches), default=0)
    assert not matches or any(m.end - m.start == longest for m in kept)


@pytest.mark.parametrize("form", ["[*] [*] esta retirado", "*2 (esta|ya) retirado [del|de]"])
def test_find_cue_opening_with_any_word_reaches_back(form: str) -> None:
    matcher = CueMatcher([compile_cue(form, MACROS, "test"), compile_cue("sin", MACROS, "test")])
    found = matcher.find(["sin", "el", "farmaco", "esta", "retirado"])
    assert [(match.start, match.end, match.patterns) for match in found][:2] == [
        (0, 1, (1,)),
        (1, 5, (0,)),
    ]
    assert matcher.find(["el", "farmaco", "esta", "pautado"]) == []


def test_find_cue_opening_with_any_word_may_end_on_a_number() -> None:
    matcher = CueMatcher([compile_cue("[*] hace #", MACROS, "test")])
    assert [(m.start, m.end) for m in matcher.find(["tos", "hace", "3"])] == [(0, 3), (1, 3)]
