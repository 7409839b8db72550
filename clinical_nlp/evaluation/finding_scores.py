"""Scores findings against a gold set: spans, assertion, measurements, note-level facts.

The flags of given targets are scored in the same way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from clinical_nlp.evaluation.annotated_notes import AnnotatedNote, Annotation
from clinical_nlp.evaluation.measures import Counts, Score, pair_overlaps, score_all

#: Read as recall: the share of affirmed annotations that got some flag.
WRONGLY_FLAGGED = "affirmed wrongly flagged"

#: Scores by name of each table.
Tables = dict[str, dict[str, Score]]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An error: the gold annotation, the predicted one, or both."""

    note: str
    kind: str  # "missed", "false alarm" or "assertion"
    gold: Annotation | None
    predicted: Annotation | None


@dataclass(slots=True)
class NoteComparison:
    """Counts of one note by measure and by concept, and its errors."""

    measures: dict[str, Counts] = field(default_factory=dict)
    concepts: dict[str, Counts] = field(default_factory=dict)
    disagreements: list[Disagreement] = field(default_factory=list)


def score_findings(
    notes: Iterable[AnnotatedNote],
    predicted: Mapping[str, AnnotatedNote],
    category_of: Mapping[str, str],
    *,
    by_concept: bool = False,
) -> tuple[Tables, list[Disagreement]]:
    """Score the findings of notes.

    Parameters
    ----------
    notes, predicted
        Gold notes, and predicted ones by id.
    category_of
        Category of each concept.
    by_concept
        Add the table by concept.

    Returns
    -------
    tables, disagreements
        Scores by ``measure``, ``category`` and ``concept``; the errors, note by note.
    """
    compared = [compare(note, predicted.get(note.id)) for note in notes]
    tables = {
        "measure": score_all([c.measures for c in compared]),
        "category": score_all([by_category(c.concepts, category_of) for c in compared]),
    }
    if by_concept:
        tables["concept"] = score_all([c.concepts for c in compared], samples=200)
    return tables, [d for c in compared for d in c.disagreements]


def score_assertion(
    notes: Iterable[AnnotatedNote], predicted: Mapping[str, AnnotatedNote]
) -> tuple[Tables, list[Disagreement]]:
    """Score the flags of gold notes' targets against predicted notes by id.

    Returns
    -------
    tables, disagreements
        Scores by ``measure``; the errors, note by note.
    """
    compared = [compare_targets(note, predicted.get(note.id)) for note in notes]
    tables = {"measure": score_all([c.measures for c in compared])}
    return tables, [d for c in compared for d in c.disagreements]


def compare_targets(gold: AnnotatedNote, predicted: AnnotatedNote | None) -> NoteComparison:
    """Compare the flags of a note's targets; only flags that the gold names count."""
    answers = {(a.start, a.end): a for a in predicted.annotations} if predicted else {}
    pairs = [(target, answers.get((target.start, target.end))) for target in gold.annotations]
    result = NoteComparison()
    _compare_flags(pairs, result)
    result.disagreements += [
        Disagreement(gold.id, "assertion", target, answer)
        for target, answer in pairs
        if not _same_flags(target, answer)
    ]
    return result


def compare(gold: AnnotatedNote, predicted: AnnotatedNote | None) -> NoteComparison:
    """Compare a note's gold findings with the predicted ones.

    Findings are paired where concepts agree and spans overlap, measurements where values
    agree, too. Flags are compared within pairs.
    """
    predictions = predicted.annotations if predicted else ()
    result = NoteComparison()
    plain_gold = [a for a in gold.annotations if a.value is None]
    plain = [a for a in predictions if a.value is None]
    pairs = pair_overlaps(plain_gold, plain, _span, lambda a, b: a.concept == b.concept)
    matched = [(plain_gold[i], plain[j]) for i, j in pairs]
    totals = (len(plain), len(plain_gold))
    result.measures["findings, overlap"] = (len(matched), *totals)
    exact = sum(_span(a) == _span(b) for a, b in matched)
    result.measures["findings, exact place"] = (exact, *totals)
    right = sum(a.flags == b.flags for a, b in matched)
    result.measures["findings, all flags right"] = (right, *totals)
    _compare_measurements(gold, predictions, result)
    facts_gold = {(a.concept, a.flags) for a in plain_gold}
    facts = {(a.concept, a.flags) for a in plain}
    result.measures["note-level facts"] = (len(facts_gold & facts), len(facts), len(facts_gold))
    _compare_flags(matched, result)
    _note_errors(gold.id, plain_gold, plain, pairs, result)
    result.concepts = concept_counts(plain_gold, plain, matched)
    return result


def _span(annotation: Annotation) -> tuple[int, int]:
    return annotation.start, annotation.end


def _same_value(a: Annotation, b: Annotation) -> bool:
    if a.concept != b.concept or a.value is None or b.value is None:
        return False
    return abs(a.value - b.value) <= 1e-6 * max(1.0, abs(a.value))


def _compare_measurements(
    gold: AnnotatedNote, predictions: Iterable[Annotation], result: NoteComparison
) -> None:
    valued_gold = [m for m in gold.annotations if m.value is not None]
    valued = [m for m in predictions if m.value is not None]
    pairs = pair_overlaps(valued_gold, valued, _span, _same_value)
    result.measures["measurements"] = (len(pairs), len(valued), len(valued_gold))
    _note_errors(gold.id, valued_gold, valued, pairs, result)


def _compare_flags(
    pairs: Iterable[tuple[Annotation, Annotation | None]], result: NoteComparison
) -> None:
    """Count flags, and affirmed annotations that got one, of gold and predicted annotations."""
    flags: dict[str, Counts] = {}
    wrongly = affirmed = 0
    for gold, predicted in pairs:
        answers = dict(predicted.flags) if predicted else {}
        for name, in_gold in gold.flags:
            flagged = answers.get(name, False)
            right, found, marked = flags.get(name, (0, 0, 0))
            flags[name] = (right + (in_gold and flagged), found + flagged, marked + in_gold)
        if gold.affirmed:
            affirmed += 1
            wrongly += not _same_flags(gold, predicted)
    result.measures.update({f"flag {name}": counts for name, counts in flags.items()})
    result.measures[WRONGLY_FLAGGED] = (wrongly, wrongly, affirmed)


def _same_flags(gold: Annotation, predicted: Annotation | None) -> bool:
    """Whether the flags that the gold names agree; without an answer, all are false."""
    answers = dict(predicted.flags) if predicted else {}
    return all(answers.get(name, False) == value for name, value in gold.flags)


def _note_errors(
    note: str,
    gold: list[Annotation],
    predictions: list[Annotation],
    pairs: list[tuple[int, int]],
    result: NoteComparison,
) -> None:
    paired_gold, paired = {i for i, _ in pairs}, {j for _, j in pairs}
    errors = result.disagreements
    errors += [
        Disagreement(note, "missed", m, None) for i, m in enumerate(gold) if i not in paired_gold
    ]
    errors += [
        Disagreement(note, "false alarm", None, m)
        for j, m in enumerate(predictions)
        if j not in paired
    ]
    errors += [
        Disagreement(note, "assertion", gold[i], predictions[j])
        for i, j in pairs
        if gold[i].value is None and gold[i].flags != predictions[j].flags
    ]


def concept_counts(
    gold: Iterable[Annotation],
    predictions: Iterable[Annotation],
    matched: Iterable[tuple[Annotation, Annotation]],
) -> dict[str, Counts]:
    """Return counts by concept."""
    in_gold = Counter(str(m.concept) for m in gold)
    predicted = Counter(str(m.concept) for m in predictions)
    paired = Counter(str(a.concept) for a, _ in matched)
    return {
        concept: (paired[concept], predicted[concept], in_gold[concept])
        for concept in sorted(in_gold | predicted)
    }


def by_category(
    concepts: Mapping[str, Counts], category_of: Mapping[str, str]
) -> dict[str, Counts]:
    """Sum the counts of each category's concepts."""
    sums: dict[str, Counts] = {}
    for concept, (tp, predicted, gold) in concepts.items():
        category = category_of.get(concept, "?")
        a, b, c = sums.get(category, (0, 0, 0))
        sums[category] = (a + tp, b + predicted, c + gold)
    return sums
