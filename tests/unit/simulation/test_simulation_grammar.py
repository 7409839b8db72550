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


def _all(rules: dict[str, list[str]], name: str = "a", **slots: str) -> set[str]:
    dice, words = Random(1), Grammar(rules)
    return {words.say(name, dice, slots) for _ in range(300)}


def test_a_rule_gives_each_of_its_alternatives() -> None:
    assert _all({"a": ["uno", "dos"]}) == {"uno", "dos"}


def test_choices_options_and_references_nest() -> None:
    said = _all({"a": ["<x{b}|y[ z]>"], "b": ["1", "2"]})
    assert said == {"x1", "x2", "y", "y z"}


def test_numbers_keep_within_their_bounds() -> None:
    assert _all({"a": ["{3-5} d"]}) == {"3 d", "4 d", "5 d"}


def test_a_slot_wins_over_a_rule() -> None:
    assert _all({"a": ["{b}"], "b": ["regla"]}, b="hueco") == {"hueco"}


def test_a_weight_makes_an_alternative_likelier() -> None:
    dice, words = Random(3), Grammar({"a": ["9~ mucho", "poco"]})
    said = [words.say("a", dice, {}) for _ in range(1000)]
    assert 850 < said.count("mucho") < 950


def test_a_backslash_takes_the_next_character_as_it_is() -> None:
    assert _all({"a": [r"sat \< 92 \[basal\]"]}) == {"sat < 92 [basal]"}


def test_an_overlay_falls_back_and_its_rules_reach_into_the_fallback() -> None:
    base = Grammar({"a": ["{b} y {c}"], "b": ["pan"], "c": ["vino"]})
    over = Grammar({"b": ["pa"]}, base)
    assert over.say("a", Random(0), {}) == "pa y vino"
    assert base.say("a", Random(0), {}) == "pan y vino"


@pytest.mark.parametrize("broken", ["<a|b", "[a", "{b", "a>b", "a]"])
def test_broken_rules_are_refused_with_their_name(broken: str) -> None:
    with pytest.raises(PipelineError, match=r"E371.*'a'"):
        Grammar({"a": [broken]})


def test_an_unknown_rule_is_an_error() -> None:
    with pytest.raises(PipelineError, match="E370"):
        Grammar({"a": ["{nada}"]}).say("a", Random(0), {})


@pytest.mark.parametrize("language", ["es", "ca", "gl", "eu"])
def test_every_shipped_rule_can_be_said(language: str) -> None:
    words = grammar(language)
    dice = Random(7)
    slots = dict.fromkeys(SLOTS.split(), "x")
    for name in words.names():
        for _ in range(20):
            said = words.say(name, dice, slots)
            assert not set("{}|<>[]") & set(said), (name, said)


@given(seed=st.integers(min_value=0, max_value=2**32))
def test_the_same_dice_say_the_same(seed: int) -> None:
    words = grammar("es")
    slots = {"o": "a", "relative": "hija"}
    first = [words.say("sign.oedema.told", Random(seed), slots) for _ in range(2)]
    assert first[0] == first[1]
