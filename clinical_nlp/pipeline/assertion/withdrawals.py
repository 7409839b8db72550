"""Suspicions that the next sentence withdraws, as in 'Sospecha de IC. El eco la descarta'.

The finding is named once and taken back by a pronoun, which no cue of its own sentence shows.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

from clinical_nlp.matching.cues import END, START, CueMatcher, compile_cue
from clinical_nlp.pipeline.assertion.assertion import Assertion
from clinical_nlp.pipeline.assertion.sentence import Sentence


class Withdrawals:
    """Finds suspicions that are withdrawn.

    Parameters
    ----------
    entry
        The ``[withdrawals]`` table: ``refutes`` and ``denies``, forms that open the next
        sentence, the first without a denial within; ``denials``; ``allowed`` kinds.
    macros
        Word lists.
    """

    def __init__(self, entry: Mapping[str, Any], macros: Mapping[str, Sequence[str]]) -> None:
        self._refuting = len(entry.get("refutes", ()))
        forms = [*entry.get("refutes", ()), *entry.get("denies", ())]
        self._matcher = CueMatcher([compile_cue(form, macros, "withdrawals") for form in forms])
        self._denials = frozenset(entry.get("denials", ()))
        self._allowed = frozenset(entry.get("allowed", ()))

    def apply(self, sentence: Sentence, assertions: MutableMapping[int, Assertion]) -> None:
        """Deny the last suspicion of a sentence, where what follows withdraws it."""
        for target in reversed(sentence.targets):
            said = assertions.get(target.index)
            if said is None or not said.uncertain:
                continue
            if target.label_ in self._allowed and self._withdraws(sentence.following()):
                assertions[target.index] = replace(said, uncertain=False, negated=True)
            return

    def _withdraws(self, words: Sequence[str]) -> bool:
        for match in self._matcher.find([START, *words, END]):
            denied = not self._denials.isdisjoint(words[: match.end - 1])
            if any(number >= self._refuting for number in match.patterns) or not denied:
                return True
        return False
