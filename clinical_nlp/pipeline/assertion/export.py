"""Writes our rules as a rule file of medSpaCy's, which ships none for Spanish.

``python -m clinical_nlp.pipeline.assertion.export FILE`` writes what is kept at
``medspacy/es_context_rules.json``. What the JSON of medSpaCy cannot say is left out: the
marks ``#start`` and ``#end``, and, beside the rules, ``terminating_types`` says what
ConText takes as an argument of that name. Our enumerations and ambiguous cues have no
counterpart there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.syntax import Atom, Choice, Concat, Pattern, is_optional, parse
from clinical_nlp.pipeline.assertion.rules import AssertionRules, load_assertion_rules

#: What medSpaCy has for our marks, and for any word.
_TOKENS: Mapping[str, dict[str, Any]] = {
    "#year": {"TEXT": {"REGEX": r"^(?:19|20)\d\d$"}},
    "#": {"TEXT": {"REGEX": r"^\d"}},
    "*": {"IS_ALPHA": True},
}


def medspacy_rules(rules: AssertionRules) -> dict[str, Any]:
    """Return the rules as medSpaCy's JSON.

    Returns
    -------
    dict
        ``context_rules`` for ``ConText(rules=...)``, and ``terminating_types`` for the
        argument of that name.
    """
    written: list[dict[str, Any]] = []
    stops: dict[str, set[str]] = {}
    for cue in rules.cues:
        pattern = _token_pattern(parse(cue.form, partial(_written, cue.word_lists)))
        if pattern is None:
            continue
        rule = cue.rule
        entry: dict[str, Any] = {
            "literal": f"{rule.literal}: {cue.form}",
            "category": rule.category,
            "direction": rule.direction,
            "pattern": pattern,
            "metadata": {k: v for k, v in rule.metadata.items() if v is not None},
        }
        for key in ("allowed_types", "excluded_types", "max_scope", "max_targets"):
            value = getattr(rule, key)
            if value is not None:
                entry[key] = sorted(value) if isinstance(value, set) else value
        written.append(entry)
        stops.setdefault(rule.category, set()).update(rule.terminated_by)
    return {
        "context_rules": written,
        "terminating_types": {k: sorted(v) for k, v in sorted(stops.items()) if v},
    }


def _written(word_lists: Mapping[str, Sequence[str]], atom: Atom) -> Pattern:
    """The words of an atom as written, with a mark before them: medSpaCy keeps accents."""
    if atom.kind == "list":
        return Choice(tuple("w:" + word for word in word_lists[atom.text]))
    if atom.kind in ("any", "gap"):
        return "*"
    return "#" + atom.text if atom.kind == "mark" else "w:" + atom.text


def _token_pattern(pattern: Pattern) -> list[dict[str, Any]] | None:
    """The pattern as spaCy tokens; ``None`` where it hangs on a place or a choice of phrases."""
    tokens: list[dict[str, Any]] = []
    for part in _parts(pattern):
        words = _words(part)
        if words is None:
            return None
        classes = [w for w in words if w in _TOKENS]
        plain = [w[2:] for w in words if w.startswith("w:")]
        if classes and not plain:
            token = dict(_TOKENS[classes[0]])
        elif plain:  # a class among words cannot be said in one token pattern
            both = {w.lower() for w in plain} | {normalise_word(w) for w in plain}
            token = {"LOWER": {"IN": sorted(both)}}
        elif is_optional(part):
            continue
        else:
            return None
        if is_optional(part):
            token["OP"] = "?"
        tokens.append(token)
    return tokens


def _parts(pattern: Pattern) -> Iterator[Pattern]:
    if isinstance(pattern, Concat):
        for part in pattern.parts:
            yield from _parts(part)
    else:
        yield pattern


def _words(pattern: Pattern) -> list[str] | None:
    """The words of which a part takes one; ``None`` where it takes several."""
    if isinstance(pattern, str):
        return [pattern]
    if isinstance(pattern, Concat):
        return None if pattern.parts else []
    words: list[str] = []
    for option in pattern.options:
        more = _words(option)
        if more is None:
            return None
        words += more
    return words


def as_json(rules: AssertionRules) -> str:
    """Return the file's text, one rule a line."""
    content = medspacy_rules(rules)
    lines = (json.dumps(rule, ensure_ascii=False) for rule in content["context_rules"])
    return (
        '{"context_rules": [\n'
        + ",\n".join(lines)
        + '\n],\n"terminating_types": '
        + json.dumps(content["terminating_types"])
        + "}\n"
    )


def main(arguments: Sequence[str]) -> None:
    """Write the file named by the only argument."""
    (target,) = arguments
    Path(target).write_text(as_json(load_assertion_rules()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
