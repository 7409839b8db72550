"""Questions and their answers: '¿Ortopnea? No.', '"¿Se ahoga?" "No, señor"'.

The answer stands in the sentence after. A short question that is answered says what the
answer says; one that is not is a doubt ('IC?'), which the rules tell.
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
    """Reads answers.

    Parameters
    ----------
    most_words
        Words that a question may hold beside its targets.
    answers
        What an answer says, by its words; ``","`` is any sign or the end.
    """

    most_words: int
    answers: Mapping[tuple[str, ...], Assertion]

    def answer(self, sentence: Sentence) -> Assertion | None:
        """What the answer says of the question's targets; ``None`` where there is none."""
        if not sentence.answer:
            return None
        asked = [word for word in sentence.words if word != TARGET and word[0].isalnum()]
        if len(asked) > self.most_words:
            return None
        words = [normalise_word(w) if w[0].isalnum() else _SIGN for w in sentence.answer]
        words.append(_SIGN)
        for length in range(len(words), 0, -1):
            said = self.answers.get(tuple(words[:length]))
            if said is not None:
                return said
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
