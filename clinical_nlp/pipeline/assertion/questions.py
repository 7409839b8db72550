"""Questions and their answers: '¿Ortopnea? No.', '"¿Se ahoga?" "No, señor"'.

The answer is in the next sentence. It gives the assertion of a short question; a question
without an answer is uncertain ('IC?'), which the rules find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


def build(entry: Mapping[str, object]) -> Questions:
    """Build from the ``[questions]`` table."""

    def phrases(key: str) -> Sequence[str]:
        value = entry.get(key, [])
        return value if isinstance(value, list) else []

    answers = {tuple(phrase.split()): _NEGATED for phrase in phrases("negated")}
    answers |= {tuple(phrase.split()): AFFIRMED for phrase in phrases("affirmed")}
    most = entry.get("most_words", 0)
    return Questions(most if isinstance(most, int) else 0, answers)
