from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.errors import PipelineError
from clinical_nlp.simulation.grammar import Grammar, grammar

#: What the writer fills in.
SLOTS = """
    noun noun2 ni_list no_list no_no_list form_list told told2 denied other_motive given surname
    nhc cip phone relative companion relative_name doctor born age o a pron sex_noun sbp dbp
    sbp_cm dbp_cm hr spo2 rr temp weight height bmi glucose creatinine egfr potassium sodium
    hemoglobin hba1c ldl cholesterol nt_probnp nt_probnp_dot lvef
"""


def _expansions(rules: dict[str, list[str]], name: str = "a", **slots: str) -> set[str]:
    rng, grammar_rules = Random(1), Grammar(rules)
    return {grammar_rules.expand(name, rng, slots) for _ in range(300)}


def test_rule_repeated_expansion_yields_every_alternative() -> None:
    assert _expansions({"a": ["uno", "dos"]}) == {"uno", "dos"}


def test_rule_nested_choices_yield_every_combination() -> None:
    texts = _expansions({"a": ["<x{b}|y[ z]>"], "b": ["1", "2"]})
    assert texts == {"x1", "x2", "y", "y z"}


def test_number_range_expands_within_its_bounds() -> None:
    assert _expansions({"a": ["{3-5} d"]}) == {"3 d", "4 d", "5 d"}


def test_reference_with_slot_and_rule_uses_slot() -> None:
    assert _expansions({"a": ["{b}"], "b": ["regla"]}, b="hueco") == {"hueco"}


def test_weighted_alternative_is_drawn_more_often() -> None:
    rng, grammar_rules = Random(3), Grammar({"a": ["9~ mucho", "poco"]})
    texts = [grammar_rules.expand("a", rng, {}) for _ in range(1000)]
    assert 850 < texts.count("mucho") < 950


def test_backslash_keeps_special_character() -> None:
    assert _expansions({"a": [r"sat \< 92 \[basal\]"]}) == {"sat < 92 [basal]"}


def test_grammar_with_fallback_overlays_and_inherits_rules() -> None:
    base = Grammar({"a": ["{b} y {c}"], "b": ["pan"], "c": ["vino"]})
    over = Grammar({"b": ["pa"]}, base)
    assert over.expand("a", Random(0), {}) == "pa y vino"
    assert base.expand("a", Random(0), {}) == "pan y vino"


@pytest.mark.parametrize("broken", ["<a|b", "[a", "{b", "a>b", "a]"])
def test_grammar_broken_rule_raises_e371_with_its_name(broken: str) -> None:
    with pytest.raises(PipelineError, match=r"E371.*'a'"):
        Grammar({"a": [broken]})


def test_expand_unknown_rule_raises_e370() -> None:
    with pytest.raises(PipelineError, match="E370"):
        Grammar({"a": ["{nada}"]}).expand("a", Random(0), {})


@pytest.mark.parametrize("language", ["es", "ca", "gl", "eu"])
def test_shipped_rule_expands_without_leftover_syntax(language: str) -> None:
    grammar_rules = grammar(language)
    rng = Random(7)
    slots = dict.fromkeys(SLOTS.split(), "x")
    for name in grammar_rules.names():
        for _ in range(20):
            texts = grammar_rules.expand(name, rng, slots)
            assert not set("{}|<>[]") & set(texts), (name, texts)


@given(seed=st.integers(min_value=0, max_value=2**32))
def test_expand_same_seed_gives_same_text(seed: int) -> None:
    grammar_rules = grammar("es")
    slots = {"o": "a", "relative": "hija"}
    first = [grammar_rules.expand("sign.oedema.told", Random(seed), slots) for _ in range(2)]
    assert first[0] == first[1]
