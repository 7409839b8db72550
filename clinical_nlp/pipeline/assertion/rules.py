"""The assertion rules, loaded from ``data/``.

The files are written for clinicians: each rule names its cues, what they mean, their scope
and the reason. Here they become ConText rules.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.cues import compile_cue
from clinical_nlp.matching.syntax import Pattern
from clinical_nlp.pipeline.assertion import ambiguous_cues, passages, questions, withdrawals
from clinical_nlp.pipeline.assertion.context import ConTextRule

_REQUIRED_KEYS = frozenset({"name", "category", "direction", "reason", "forms"})
_OPTIONAL_KEYS = frozenset(
    {"max_scope", "max_targets", "allowed", "excluded", "stops", "relation", "rows"}
)


@dataclass(frozen=True)
class Cue:
    """One form of a rule.

    Parameters
    ----------
    form
        The form as written.
    pattern
        What it matches.
    rule
        The ConText rule that it stands for.
    word_lists
        The lists that the form may name.
    """

    form: str
    pattern: Pattern
    rule: ConTextRule
    word_lists: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class AssertionRules:
    """All rules of the assertion component, compiled.

    Parameters
    ----------
    source
        The plain data they were built from; what is serialised.
    cues
        Every form of every rule, in the files' order.
    kind_of_category, kind_of_concept
        Kind of target by the catalogue's category and, where it differs, by concept.
    text_kinds
        For targets without a concept: (kind, words, endings), tried in order.
    section_flags
        Category that a section gives to targets of some kinds (of all where ``None``), by
        section key; ``"*"`` holds for any section and none.
    overrides
        Categories that a category takes from the same target.
    rivals
        Groups of categories of which only the nearest to the target counts.
    flags
        Flags that a category sets.
    list_breakers
        Words that no item of an enumeration contains.
    list_runners
        Words that open an enumeration which may run on unclosed.
    ambiguous_cues
        Cues whose meaning depends on the sentence.
    questions
        Answers to questions.
    passages
        Parts of a sentence that apply to targets no cue modifies.
    withdrawals
        Openings of a sentence that withdraw the suspicion before it.
    """

    source: Mapping[str, Any]
    cues: tuple[Cue, ...]
    kind_of_category: Mapping[str, str]
    kind_of_concept: Mapping[str, str]
    text_kinds: tuple[tuple[str, frozenset[str], tuple[str, ...]], ...]
    section_flags: Mapping[str, tuple[tuple[str, frozenset[str] | None], ...]]
    overrides: Mapping[str, tuple[str, ...]]
    rivals: tuple[tuple[str, ...], ...]
    flags: Mapping[str, tuple[str, ...]]
    list_breakers: frozenset[str]
    list_runners: frozenset[str]
    ambiguous_cues: ambiguous_cues.AmbiguousCues
    questions: questions.Questions
    passages: passages.Passages
    withdrawals: withdrawals.Withdrawals


@cache
def load_assertion_rules() -> AssertionRules:
    """Load the package's own rules."""
    merged: dict[str, Any] = {}
    folder = resources.files("clinical_nlp.pipeline.assertion") / "data"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            _merge(merged, tomllib.loads(file.read_text(encoding="utf-8")))
    return build_assertion_rules(merged)


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, list):
            into.setdefault(key, []).extend(value)
        elif isinstance(value, dict):
            into.setdefault(key, {}).update(value)
        else:
            into[key] = value


def build_assertion_rules(source: Mapping[str, Any]) -> AssertionRules:
    """Compile plain data.

    Parameters
    ----------
    source
        ``macros``, ``rules``, ``relatives``, ``family_frames``, ``kinds``, ``sections``,
        ``overrides`` and ``lists``, as in the TOML files.

    Raises
    ------
    PipelineError
        E320 for a form, E321 for a rule that cannot be used.
    """
    macros: Mapping[str, Sequence[str]] = source.get("macros", {})
    kinds = source.get("kinds", {})
    cues = tuple(cue for entry, words in _entries(source, macros) for cue in _cues(entry, words))
    rules = {cue.rule.literal: cue.rule for cue in cues}
    return AssertionRules(
        source=source,
        cues=cues,
        kind_of_category=dict(kinds.get("categories", {})),
        kind_of_concept={
            concept: kind
            for kind, concepts in kinds.get("concepts", {}).items()
            for concept in concepts
        },
        text_kinds=tuple(
            (kind, frozenset(entry.get("words", [])), tuple(entry.get("endings", [])))
            for kind, entry in kinds.get("texts", {}).items()
        ),
        section_flags={
            key: tuple(
                (e["category"], frozenset(e["allowed"]) if "allowed" in e else None)
                for e in entries
            )
            for key, entries in source.get("sections", {}).items()
        },
        overrides={k: tuple(v) for k, v in source.get("overrides", {}).items()},
        rivals=tuple(tuple(group) for group in source.get("rivals", {}).values()),
        flags={k: tuple(v) for k, v in source.get("flags", {}).items()},
        list_breakers=frozenset(
            word for name in source.get("lists", {}).get("breakers", []) for word in macros[name]
        ),
        list_runners=frozenset(source.get("lists", {}).get("runners", [])),
        ambiguous_cues=ambiguous_cues.build(source.get("ambiguous_cues", {}), rules.get),
        questions=questions.build(source.get("questions", {})),
        passages=passages.build(source.get("passages", ()), macros),
        withdrawals=withdrawals.Withdrawals(source.get("withdrawals", {}), macros),
    )


def _entries(
    source: Mapping[str, Any], macros: Mapping[str, Sequence[str]]
) -> list[tuple[Mapping[str, Any], Mapping[str, Sequence[str]]]]:
    """Rules as they stand, and the family frames filled in for every relative."""
    entries: list[tuple[Mapping[str, Any], Mapping[str, Sequence[str]]]] = [
        (entry, macros) for entry in source.get("rules", [])
    ]
    for frame in source.get("family_frames", []):
        for relative in source.get("relatives", []):
            role, before = relative["role"], relative.get("before")
            entry = {**frame, "name": f"{frame.get('name')}.{role}", "relation": role}
            if before:
                entry["name"] += ".possessed"
                entry["forms"] = [
                    form.replace("{relative}", f"{before} {{relative}}") for form in frame["forms"]
                ]
            entries.append((entry, {**macros, "relative": relative["words"]}))
    return entries


def _cues(entry: Mapping[str, Any], macros: Mapping[str, Sequence[str]]) -> list[Cue]:
    name = str(entry.get("name", "?"))
    unknown = set(entry) - _REQUIRED_KEYS - _OPTIONAL_KEYS
    missing = _REQUIRED_KEYS - set(entry)
    if unknown or missing:
        raise PipelineError(
            "E321",
            f"assertion rule '{name}' lacks {sorted(missing)} or has the unknown keys "
            f"{sorted(unknown)}: see docs/how-to/assertion-rules.md for the keys of a rule",
        )
    try:
        rule = ConTextRule(
            name,
            entry["category"],
            direction=entry["direction"],
            allowed_types=set(entry["allowed"]) if "allowed" in entry else None,
            excluded_types=set(entry["excluded"]) if "excluded" in entry else None,
            max_scope=entry.get("max_scope"),
            max_targets=entry.get("max_targets"),
            terminated_by=set(entry.get("stops", ())),
            metadata={
                "reason": entry["reason"],
                "relation": entry.get("relation"),
                "rows": entry.get("rows", False),
            },
        )
    except ValueError as error:
        raise PipelineError(
            "E321", f"assertion rule '{name}' is not a ConText rule ({error}): correct it"
        ) from error
    return [Cue(form, compile_cue(form, macros, name), rule, macros) for form in entry["forms"]]
