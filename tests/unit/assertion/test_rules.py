"""The rule files: sound, and in step with what is exported for medSpaCy."""

from __future__ import annotations

from importlib import resources

import pytest

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.syntax import Choice, Pattern, is_optional
from clinical_nlp.pipeline.assertion.export import as_json
from clinical_nlp.pipeline.assertion.rules import build_assertion_rules, load_assertion_rules

#: Words too common to be a cue by themselves.
COMMON = frozenset(
    {
        *("se", "de", "en", "a", "el", "la", "y", "e", "o", "que", "un", "lo", "le", "los"),
        *("las", "su", "ha", "han", "es", "mas", "del", "al", "i", "d", "l"),
    }
)


def words(pattern: Pattern) -> frozenset[str]:
    """The words and marks that a pattern names."""
    if isinstance(pattern, str):
        return frozenset((pattern.removeprefix("w:"),))
    parts = pattern.options if isinstance(pattern, Choice) else pattern.parts
    return frozenset().union(*map(words, parts))


def lone_words(pattern: Pattern) -> frozenset[str]:
    """The words that match a pattern by themselves."""
    if isinstance(pattern, str):
        return frozenset((pattern.removeprefix("w:"),))
    if isinstance(pattern, Choice):
        return frozenset().union(*map(lone_words, pattern.options))
    needed = [part for part in pattern.parts if not is_optional(part)]
    return lone_words(needed[0]) if len(needed) == 1 else frozenset()


def test_cue_is_never_a_bare_function_word() -> None:
    for cue in load_assertion_rules().cues:
        if cue.rule.allowed_types != {"TEST"}:
            assert not lone_words(cue.pattern) & COMMON, (cue.rule.literal, cue.form)


def test_rule_has_a_reason_and_an_effect() -> None:
    rules = load_assertion_rules()
    stops = {s for cue in rules.cues for s in cue.rule.terminated_by}
    categories = {cue.rule.category for cue in rules.cues}
    assert stops <= categories
    for cue in rules.cues:
        assert cue.rule.metadata["reason"].endswith((".", "'"))
        if cue.rule.direction not in ("TERMINATE", "PSEUDO"):
            assert cue.rule.category in rules.flags or cue.rule.category in rules.overrides


def test_rule_names_only_existing_kinds() -> None:
    rules = load_assertion_rules()
    kinds = {*rules.kind_of_category.values(), *rules.kind_of_concept.values()}
    kinds |= {kind for kind, _, _ in rules.text_kinds} | {"UNKNOWN"}
    for cue in rules.cues:
        assert (cue.rule.allowed_types or set()) <= kinds
        assert (cue.rule.excluded_types or set()) <= kinds


def test_export_equals_the_kept_file() -> None:
    package = resources.files("clinical_nlp.pipeline.assertion")
    kept = (package / "medspacy" / "es_context_rules.json").read_text(encoding="utf-8")
    assert kept == as_json(load_assertion_rules())


@pytest.mark.parametrize(
    "broken",
    [
        {"category": "X", "direction": "FORWARD", "reason": "r.", "forms": ["no"]},
        {"name": "n", "category": "X", "direction": "UP", "reason": "r.", "forms": ["no"]},
        {
            "name": "n",
            "category": "X",
            "direction": "FORWARD",
            "reason": "r.",
            "forms": ["no"],
            "scope": 3,
        },
    ],
)
def test_build_broken_rule_raises_e321(broken: dict[str, object]) -> None:
    with pytest.raises(PipelineError) as caught:
        build_assertion_rules({"rules": [broken]})
    assert caught.value.code == "E321"
