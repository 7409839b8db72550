"""The syntax of patterns."""

from __future__ import annotations

import pytest

from clinical_nlp.matching.syntax import (
    NOTHING,
    Atom,
    Choice,
    Concat,
    Pattern,
    PatternError,
    is_optional,
    parse,
)


def leaf(atom: Atom) -> str:
    return f"{atom.kind}:{atom.text}"


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("no", "word:no"),
        ("=gota", "exact:gota"),
        ("=(", "exact:("),
        ("==", "exact:="),
        ("cardio*", "prefix:cardio"),
        ("<dormir>", "verb:dormir"),
        ("{month}", "list:month"),
        ("#", "mark:"),
        ("#year", "mark:year"),
        ("*", "any:*"),
        ("en ,", Concat(("word:en", "word:,"))),
        ("a|b", Choice(("word:a", "word:b"))),
        ("(a|b c)", Choice(("word:a", Concat(("word:b", "word:c"))))),
        ("[a]", Choice(("word:a", NOTHING))),
        ("*2", Concat((Choice(("gap:2", NOTHING)), Choice(("gap:2", NOTHING))))),
        ("=( # =)", Concat(("exact:(", "mark:", "exact:)"))),
        ("(de|==)", Choice(("word:de", "exact:="))),
    ],
)
def test_parse_each_construct_gives_its_pattern(text: str, pattern: Pattern) -> None:
    assert parse(text, leaf) == pattern


@pytest.mark.parametrize("text", ["", " ", "(a", "a)", "[a)", "*ina", "a = b", "<a", "{a"])
def test_parse_broken_text_raises(text: str) -> None:
    with pytest.raises(PatternError):
        parse(text, leaf)


def test_parse_atom_knows_whether_it_is_first_and_alone() -> None:
    atoms: list[tuple[str, bool, bool]] = []

    def collect(atom: Atom) -> str:
        atoms.append((atom.text, atom.first, atom.alone))
        return atom.text

    parse("[a] (b|c d) e", collect)
    assert atoms == [
        ("a", True, False),
        ("b", True, True),
        ("c", True, False),
        ("d", False, False),
        ("e", False, False),
    ]


@pytest.mark.parametrize(("text", "expected"), [("[a] *2", True), ("(a|[b])", True), ("a", False)])
def test_is_optional_pattern_that_matches_nothing_is(text: str, expected: bool) -> None:
    assert is_optional(parse(text, leaf)) is expected
