"""Writes our rules as a rule file of medSpaCy's, which ships none for Spanish.

``python -m clinical_nlp.pipeline.assertion.export FILE`` writes what is kept at
``medspacy/es_context_rules.json``. What the JSON of medSpaCy cannot say is left out: the
places ``#start`` and ``#end``, and, beside the rules, ``terminating_types`` says what
ConText takes as an argument of that name. Detectors of ours (enumerations, readings)
have no counterpart there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.phrases import END, START, TARGET
from clinical_nlp.pipeline.assertion.knowledge import Knowledge, load

_CLASS_PATTERNS: Mapping[str, dict[str, Any]] = {
    "#year": {"TEXT": {"REGEX": r"^(?:19|20)\d\d$"}},
    "#num": {"TEXT": {"REGEX": r"^\d"}},
    "*": {"IS_ALPHA": True},
}
_PLACES = (START, END, TARGET)


def medspacy_rules(knowledge: Knowledge) -> dict[str, Any]:
    """Return the rules as medSpaCy's JSON.

    Returns
    -------
    dict
        ``context_rules`` for ``ConText(rules=...)``, and ``terminating_types`` for the
        argument of that name.
    """
    rules: list[dict[str, Any]] = []
    stops: dict[str, set[str]] = {}
    for cue in knowledge.cues:
        pattern = _pattern(cue.form, cue.words)
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
        for key in ("allowed_types", "excluded_types"):
            if getattr(rule, key) is not None:
                entry[key] = sorted(getattr(rule, key))
        for key in ("max_scope", "max_targets"):
            if getattr(rule, key) is not None:
                entry[key] = getattr(rule, key)
        rules.append(entry)
        stops.setdefault(rule.category, set()).update(rule.terminated_by)
    return {
        "context_rules": rules,
        "terminating_types": {k: sorted(v) for k, v in sorted(stops.items()) if v},
    }


def _pattern(form: str, macros: Mapping[str, Sequence[str]]) -> list[dict[str, Any]] | None:
    """The form as a spaCy token pattern; ``None`` where it hangs on a place or a choice."""
    pattern: list[dict[str, Any]] = []
    for piece in form.split():
        optional = len(piece) > 1 and piece[0] == "?"
        words: list[str] = []
        for word in (piece[1:] if optional else piece).split("|"):
            words.extend(macros[word[1:]] if word.startswith("@") else [word])
        words = [w for w in words if w not in _PLACES]
        classes = [w for w in words if w in _CLASS_PATTERNS]
        plain = [w for w in words if w not in _CLASS_PATTERNS]
        if classes and not plain:
            token = dict(_CLASS_PATTERNS[classes[0]])
        elif plain:  # a class among words cannot be said in one token pattern
            token = {"LOWER": {"IN": sorted({w.lower() for w in plain} | _bare(plain))}}
        elif optional:
            continue
        else:
            return None
        if optional:
            token["OP"] = "?"
        pattern.append(token)
    return pattern


def _bare(words: Sequence[str]) -> set[str]:
    return {normalise_word(w) for w in words}


def as_json(knowledge: Knowledge) -> str:
    """Return the file's text, one rule a line."""
    made = medspacy_rules(knowledge)
    lines = (json.dumps(rule, ensure_ascii=False) for rule in made["context_rules"])
    return (
        '{"context_rules": [\n'
        + ",\n".join(lines)
        + '\n],\n"terminating_types": '
        + json.dumps(made["terminating_types"])
        + "}\n"
    )


def main(arguments: Sequence[str]) -> None:
    """Write the file named by the only argument."""
    (target,) = arguments
    Path(target).write_text(as_json(load()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
