"""Cues whose meaning depends on the sentence around them.

A ConText rule sees a phrase; these few words need the sentence:

*ni* negates, but after 'no puedo descartar' or 'no suspender' it continues that cue;
*si* opens a condition, or is a *sí* without its accent ('no disnea, si tos');
*no* after each finding of a series answers it ('disnea no ortopnea no edemas si').
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clinical_nlp.matching.cues import TARGET
from clinical_nlp.pipeline.assertion.context import ConTextModifier, ConTextRule
from clinical_nlp.pipeline.assertion.graph import modifier
from clinical_nlp.pipeline.assertion.sentence import Sentence

_NEGATED = "NEGATED_EXISTENCE"


@dataclass(frozen=True)
class AmbiguousCues:
    """Decides what ambiguous cues mean.

    Parameters
    ----------
    carriers
        Words that continue an earlier cue (*ni*).
    carried
        Categories that they continue, if the earlier cue begins with a negation.
    denials
        Words that a negating cue begins with.
    refusals, genitives
        Verbs that deny, and the words of which one must follow *ni* to continue them.
    conditions
        Words that open a condition or affirm (*si*).
    consequences
        Words of what to do if the condition holds.
    verb_endings
        Endings of infinitives, which mean the same.
    answers
        Rule of a word that answers the finding before it.
    affirmed
        Rule of a *si* that affirms.
    """

    carriers: frozenset[str]
    carried: frozenset[str]
    denials: frozenset[str]
    refusals: frozenset[str]
    genitives: frozenset[str]
    conditions: frozenset[str]
    consequences: frozenset[str]
    verb_endings: tuple[str, ...]
    answers: Mapping[str, ConTextRule]
    affirmed: ConTextRule | None

    def apply(
        self, sentence: Sentence, modifiers: Sequence[ConTextModifier]
    ) -> list[ConTextModifier]:
        """Return the modifiers with the ambiguous ones decided, in order of place."""
        words = sentence.words
        answered = self._answered(words)
        decided: list[ConTextModifier] = []
        for i, cue in enumerate(modifiers):
            start, end = cue.modifier_span
            word = words[start] if end == start + 1 else ""
            if start in answered:
                if not decided or decided[-1].modifier_span[0] != start:
                    rule = self.answers[words[start]]
                    decided.append(modifier(rule, start, start + 1, len(words)))
            elif word in self.carriers and self._continues(words, start, modifiers[:i]):
                continue
            elif (
                self.affirmed is not None
                and word in self.conditions
                and cue.direction == "FORWARD"
                and self._affirms(sentence, start, modifiers[:i])
            ):
                decided.append(modifier(self.affirmed, start, end, len(words)))
            else:
                decided.append(cue)
        return decided

    def _continues(
        self, words: Sequence[str], place: int, before: Sequence[ConTextModifier]
    ) -> bool:
        for cue in reversed(before):
            if cue.direction == "TERMINATE":
                return False
            if cue.category in self.carried:
                first = words[cue.modifier_span[0]]
                if first in self.refusals:  # '... ni de edemas', not '... ni edemas'
                    rest = (word for word in words[place + 1 :] if word not in self.carriers)
                    return next(rest, "") in self.genitives
                return first in self.denials
            beside = cue.modifier_span == (place - 1, place)
            if beside and words[place - 1] in self.carriers:
                continue  # 'ni tampoco'
            if cue.direction != "PSEUDO":
                return False
        return False

    def _affirms(self, sentence: Sentence, place: int, before: Sequence[ConTextModifier]) -> bool:
        words = sentence.words
        if place and not any(cue.category == _NEGATED for cue in before):
            return False
        rest = words[place + 1 :]
        if place == 0 and "," in rest:
            return False
        if any(w in self.consequences or w.endswith(self.verb_endings) for w in rest):
            return False
        return not any(t.label_ == "DRUG" and t.start > place for t in sentence.targets)

    def _answered(self, words: Sequence[str]) -> frozenset[int]:
        """Places of the words that each answer the finding before them, in a series of such."""
        places = [
            i for i in range(1, len(words)) if words[i] in self.answers and words[i - 1] == TARGET
        ]
        if len(places) < 2 or TARGET not in words[: places[0]]:
            return frozenset()
        first = words.index(TARGET)
        adjacent = all(w == TARGET for w in words[first : places[0]])
        last = places[-1] + 1
        closed = last == len(words) or not words[last][0].isalnum()
        series = all(
            words[place + 1] == TARGET or place == places[-1]
            for place in places
            if place + 1 < len(words)
        )
        return frozenset(places) if adjacent and closed and series else frozenset()


def build(entry: Mapping[str, Any], rule: Callable[[str], ConTextRule | None]) -> AmbiguousCues:
    """Build from the ``[ambiguous_cues]`` table; ``rule`` finds a rule by its name."""
    answers = {word: rule(name) for word, name in entry.get("answers", {}).items()}
    words = (
        "carriers",
        "carried",
        "denials",
        "refusals",
        "genitives",
        "conditions",
        "consequences",
    )
    return AmbiguousCues(
        **{name: frozenset(entry.get(name, ())) for name in words},
        verb_endings=tuple(sorted(entry.get("verb_endings", ()))),
        answers={word: found for word, found in answers.items() if found is not None},
        affirmed=rule(entry.get("affirmed", "")),
    )
