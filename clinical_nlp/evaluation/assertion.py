"""Assertion flags of given targets against a gold set."""

from __future__ import annotations

from collections import Counter

from clinical_nlp.evaluation.findings import Disagreement, NoteComparison
from clinical_nlp.evaluation.rows import MarkedNote


def compare(gold: MarkedNote, predicted: MarkedNote | None) -> NoteComparison:
    """Compare the flags of a note's targets; only the axes that the gold names count."""
    result = NoteComparison(gold.language)
    answers = {(m.start, m.end): m for m in predicted.marks} if predicted else {}
    counts: Counter[tuple[str, int]] = Counter()
    wrongly = affirmed = 0
    for target in gold.marks:
        answer = answers.get((target.start, target.end))
        said = dict(answer.flags) if answer else {}
        for name, in_gold in target.flags:
            flagged = said.get(name, False)
            counts[name, 0] += in_gold and flagged
            counts[name, 1] += flagged
            counts[name, 2] += in_gold
        right = all(said.get(name, False) == value for name, value in target.flags)
        if target.affirmed:
            affirmed += 1
            wrongly += not right
        if not right:
            result.disagreements.append(Disagreement(gold.id, "assertion", target, answer))
    for name in dict.fromkeys(name for name, _ in counts):
        result.measures[f"flag {name}"] = (counts[name, 0], counts[name, 1], counts[name, 2])
    # Read as recall: the share of affirmed targets that some flag was put on.
    result.measures["affirmed wrongly flagged"] = (wrongly, wrongly, affirmed)
    return result
