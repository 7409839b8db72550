"""Stretches of a sentence that place in the past what stands in them.

ConText ends a cue's reach at every contrast and clause, which a story does not heed: 'En
2014, a raíz de un síncope, se implantó …' is of 2014 to its end. A passage opens with one
of its forms and runs through clauses up to a word that turns to the present visit
('acude', 'ingresa'), or to the end of the sentence. It speaks only of targets that no cue
reaches.
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
    """One kind of passage.

    Parameters
    ----------
    category
        What it says of its targets.
    allowed
        Kinds of target that it speaks of.
    until
        Words that end it.
    unless
        Words that, anywhere before it in the sentence, make it no passage.
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

    def categories(self, sentence: Sentence, unreached: Iterable[Target]) -> dict[int, str]:
        """Return categories by the index of the target, of the targets that passages hold."""
        waiting = [target for target in unreached if target.label_ in self._kinds]
        if not waiting:
            return {}
        words = sentence.words
        said: dict[int, str] = {}
        for match in self._matcher.find([START, *words, END]):
            start, stop = max(match.start - 1, 0), match.end - 1
            for form in match.patterns:
                passage = self._passages[form]
                if not passage.unless.isdisjoint(words[:start]):
                    continue
                end = next(
                    (i for i in range(stop, len(words)) if words[i] in passage.until), len(words)
                )
                for target in waiting:
                    if stop <= target.start < end and target.label_ in passage.allowed:
                        said.setdefault(target.index, passage.category)
        return said


def build(entries: Sequence[Mapping[str, Any]], macros: Mapping[str, Sequence[str]]) -> Passages:
    """Build from the ``[[passages]]`` tables.

    Raises
    ------
    PipelineError
        E320 for a form, E321 for a passage whose keys are not understood.
    """
    made: list[tuple[Passage, Pattern]] = []
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
        made.extend((passage, compile_cue(form, macros, name)) for form in entry["forms"])
    return Passages(made)
