"""Questions and their answers: '¿Ortopnea? No.', '"¿Se ahoga?" "No, señor"'.

The answer is in the next sentence. It gives the assertion of a short question; a question
without an answer is uncertain ('IC?'), which the rules find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clinical_nlp.matching.cues import TARGET
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.pipeline.assertion.assertion import AFFIRMED, Assertion
from clinical_nlp.pipeline.assertion.sentence import Sentence

_NEGATED = Assertion(negated=True)
_SIGN = ","


@dataclass(frozen=True)
class Questions:
    """Finds the answers to questions.

    Parameters
    ----------
    most_words
        Most words of a question beside its targets.
    answers
        Assertion by the words of the answer; ``","`` is any sign or the end.
    """

    most_words: int
    answers: Mapping[tuple[str, ...], Assertion]

    def answer(self, sentence: Sentence) -> Assertion | None:
        """Return the assertion that the answer gives; ``None`` where there is no answer."""
        if not sentence.answer:
            return None
        asked = [word for word in sentence.words if word != TARGET and word[0].isalnum()]
        if len(asked) > self.most_words:
            return None
        words = [normalise_word(w) if w[0].isalnum() else _SIGN for w in sentence.answer]
        words.append(_SIGN)
        for length in range(len(words), 0, -1):
            assertion = self.answers.get(tuple(words[:length]))
            if assertion is not None:
                return assertion
        return None


def build(entry: Mapping[str, Any]) -> Questions:
    """Build from the ``[questions]`` table."""
    answers = {tuple(phrase.split()): _NEGATED for phrase in entry.get("negated", ())}
    answers |= {tuple(phrase.split()): AFFIRMED for phrase in entry.get("affirmed", ())}
    return Questions(entry.get("most_words", 0), answers)
