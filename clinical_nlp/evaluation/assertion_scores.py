"""Scores the assertion flags of given targets against a gold set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from clinical_nlp.evaluation.annotated_notes import AnnotatedNote
from clinical_nlp.evaluation.finding_scores import (
    WRONGLY_FLAGGED,
    Disagreement,
    NoteComparison,
    Tables,
)
from clinical_nlp.evaluation.measures import score_all


def score_assertion(
    notes: Iterable[AnnotatedNote], predicted: Mapping[str, AnnotatedNote]
) -> tuple[Tables, list[Disagreement]]:
    """Score the flags of gold notes' targets against predicted notes by id.

    Returns
    -------
    tables, disagreements
        Scores by ``measure``; the errors, note by note.
    """
    compared = [compare(note, predicted.get(note.id)) for note in notes]
    tables = {"measure": score_all([c.measures for c in compared])}
    return tables, [d for c in compared for d in c.disagreements]


def compare(gold: AnnotatedNote, predicted: AnnotatedNote | None) -> NoteComparison:
    """Compare the flags of a note's targets; only flags that the gold names count."""
    result = NoteComparison()
    answers = {(a.start, a.end): a for a in predicted.annotations} if predicted else {}
    counts: Counter[tuple[str, int]] = Counter()
    wrongly_flagged = affirmed = 0
    for target in gold.annotations:
        answer = answers.get((target.start, target.end))
        flags = dict(answer.flags) if answer else {}
        for name, in_gold in target.flags:
            flagged = flags.get(name, False)
            counts[name, 0] += in_gold and flagged
            counts[name, 1] += flagged
            counts[name, 2] += in_gold
        correct = all(flags.get(name, False) == value for name, value in target.flags)
        if target.affirmed:
            affirmed += 1
            wrongly_flagged += not correct
        if not correct:
            result.disagreements.append(Disagreement(gold.id, "assertion", target, answer))
    for name in dict.fromkeys(name for name, _ in counts):
        result.measures[f"flag {name}"] = (counts[name, 0], counts[name, 1], counts[name, 2])
    result.measures[WRONGLY_FLAGGED] = (wrongly_flagged, wrongly_flagged, affirmed)
    return result
