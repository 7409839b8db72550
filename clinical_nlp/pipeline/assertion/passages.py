"""Passages: parts of a sentence that place their findings in the past.

ConText ends the scope of a cue at every clause, but in 'En 2014, a raíz de un síncope, se
implantó …' the date holds to the end. A passage opens with one of its forms and runs
through clauses up to a word of the present visit ('acude', 'ingresa'), or to the end of
the sentence. It applies only to targets that no cue modifies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.cues import END, START, CueMatcher, compile_cue
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.syntax import Pattern
from clinical_nlp.pipeline.assertion.graph import Target
from clinical_nlp.pipeline.assertion.sentence import Sentence

_KEYS = frozenset({"name", "category", "allowed", "until", "unless", "reason", "forms"})


@dataclass(frozen=True)
class Passage:
    """A kind of passage.

    Parameters
    ----------
    category
        Category of its targets.
    allowed
        Kinds of target that it applies to.
    until
        Words that end it.
    unless
        Words that rule it out anywhere before it in the sentence.
    """

    category: str
    allowed: frozenset[str]
    until: frozenset[str]
    unless: frozenset[str]


class Passages:
    """Finds the passages of a sentence.

    Parameters
    ----------
    entries
        The passages with their forms.
    """

    def __init__(self, entries: Sequence[tuple[Passage, Pattern]]) -> None:
        self._passages = [passage for passage, _ in entries]
        self._matcher = CueMatcher([pattern for _, pattern in entries])
        self._kinds = frozenset(kind for passage, _ in entries for kind in passage.allowed)

    def categories(self, sentence: Sentence, unmodified: Iterable[Target]) -> dict[int, str]:
        """Return the category of each target that a passage holds, by the target's index."""
        candidates = [target for target in unmodified if target.label_ in self._kinds]
        if not candidates:
            return {}
        words = sentence.words
        found: dict[int, str] = {}
        for match in self._matcher.find([START, *words, END]):
            start, stop = max(match.start - 1, 0), match.end - 1
            for form in match.patterns:
                passage = self._passages[form]
                if not passage.unless.isdisjoint(words[:start]):
                    continue
                end = next(
                    (i for i in range(stop, len(words)) if words[i] in passage.until), len(words)
                )
                for target in candidates:
                    if stop <= target.start < end and target.label_ in passage.allowed:
                        found.setdefault(target.index, passage.category)
        return found


def build(entries: Sequence[Mapping[str, Any]], macros: Mapping[str, Sequence[str]]) -> Passages:
    """Build from the ``[[passages]]`` tables.

    Raises
    ------
    PipelineError
        E320 for a form, E321 for a passage whose keys are not understood.
    """
    compiled: list[tuple[Passage, Pattern]] = []
    for entry in entries:
        name = str(entry.get("name", "?"))
        if set(entry) - _KEYS or _KEYS - {"until", "unless"} - set(entry):
            raise PipelineError(
                "E321",
                f"assertion passage '{name}' has unknown keys or lacks some of "
                f"{sorted(_KEYS)}: see docs/how-to/assertion-rules.md for the keys of a passage",
            )

        def words(key: str, entry: Mapping[str, Any] = entry) -> frozenset[str]:
            return frozenset(
                normalise_word(word)
                for item in entry.get(key, ())
                for word in (macros[item[1:-1]] if item.startswith("{") else (item,))
            )

        passage = Passage(
            entry["category"], frozenset(entry["allowed"]), words("until"), words("unless")
        )
        compiled.extend((passage, compile_cue(form, macros, name)) for form in entry["forms"])
    return Passages(compiled)
