"""Catalogue findings against a gold set: spans, assertion, measurements, note-level facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from clinical_nlp.evaluation.measures import Counts, pair_overlaps
from clinical_nlp.evaluation.rows import Mark, MarkedNote


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One error: what the gold says, what was found; either may be missing."""

    note: str
    kind: str  # "missed", "false alarm" or "assertion"
    gold: Mark | None
    predicted: Mark | None


@dataclass(slots=True)
class NoteComparison:
    """How one note fared.

    ``measures`` and ``concepts`` hold a triple (true positives, predicted, gold) by name.
    """

    language: str
    measures: dict[str, Counts] = field(default_factory=dict)
    concepts: dict[str, Counts] = field(default_factory=dict)
    disagreements: list[Disagreement] = field(default_factory=list)


def compare(gold: MarkedNote, predicted: MarkedNote | None) -> NoteComparison:
    """Compare a note's gold findings with the predicted ones.

    Findings pair where concepts agree and spans overlap, measurements where the values
    agree too; flags are compared on the pairs.
    """
    found = predicted.marks if predicted else ()
    result = NoteComparison(gold.language)
    plain_gold, plain = _without_value(gold.marks), _without_value(found)
    pairs = pair_overlaps(plain_gold, plain, _span, _same_concept)
    matched = [(plain_gold[i], plain[j]) for i, j in pairs]
    totals = (len(plain), len(plain_gold))
    result.measures["findings, overlap"] = (len(matched), *totals)
    result.measures["findings, exact place"] = (
        sum(_span(a) == _span(b) for a, b in matched),
        *totals,
    )
    result.measures["findings, all flags right"] = (
        sum(a.flags == b.flags for a, b in matched),
        *totals,
    )
    _compare_measurements(gold, found, result)
    facts_gold, facts = {_fact(m) for m in plain_gold}, {_fact(m) for m in plain}
    result.measures["note-level facts"] = (len(facts_gold & facts), len(facts), len(facts_gold))
    _compare_flags(matched, result)
    _note_errors(gold.id, plain_gold, plain, pairs, result)
    result.concepts = concept_counts(plain_gold, plain, matched)
    return result


def _span(mark: Mark) -> tuple[int, int]:
    return mark.start, mark.end


def _same_concept(a: Mark, b: Mark) -> bool:
    return a.concept == b.concept


def _same_value(a: Mark, b: Mark) -> bool:
    if a.concept != b.concept or a.value is None or b.value is None:
        return False
    return abs(a.value - b.value) <= 1e-6 * max(1.0, abs(a.value))


def _without_value(marks: Iterable[Mark]) -> list[Mark]:
    return [mark for mark in marks if mark.value is None]


def _fact(mark: Mark) -> tuple[str | None, tuple[tuple[str, bool], ...]]:
    return mark.concept, mark.flags


def _compare_measurements(gold: MarkedNote, found: Iterable[Mark], result: NoteComparison) -> None:
    valued_gold = [m for m in gold.marks if m.value is not None]
    valued = [m for m in found if m.value is not None]
    pairs = pair_overlaps(valued_gold, valued, _span, _same_value)
    result.measures["measurements"] = (len(pairs), len(valued), len(valued_gold))
    _note_errors(gold.id, valued_gold, valued, pairs, result)


def _compare_flags(matched: list[tuple[Mark, Mark]], result: NoteComparison) -> None:
    counts: Counter[tuple[str, int]] = Counter()
    names = [name for name, _ in matched[0][0].flags] if matched else []
    for a, b in matched:
        for (name, in_gold), (_, predicted) in zip(a.flags, b.flags, strict=True):
            counts[name, 0] += in_gold and predicted
            counts[name, 1] += predicted
            counts[name, 2] += in_gold
    for name in names:
        result.measures[f"flag {name}"] = (counts[name, 0], counts[name, 1], counts[name, 2])
    affirmed = [(a, b) for a, b in matched if a.affirmed]
    wrongly = sum(not b.affirmed for _, b in affirmed)
    # Read as recall: the share of affirmed findings that some flag was put on.
    result.measures["affirmed wrongly flagged"] = (wrongly, wrongly, len(affirmed))


def _note_errors(
    note: str,
    gold: list[Mark],
    found: list[Mark],
    pairs: list[tuple[int, int]],
    result: NoteComparison,
) -> None:
    paired_gold, paired = {i for i, _ in pairs}, {j for _, j in pairs}
    errors = result.disagreements
    errors += [
        Disagreement(note, "missed", m, None) for i, m in enumerate(gold) if i not in paired_gold
    ]
    errors += [
        Disagreement(note, "false alarm", None, m) for j, m in enumerate(found) if j not in paired
    ]
    errors += [
        Disagreement(note, "assertion", gold[i], found[j])
        for i, j in pairs
        if gold[i].value is None and gold[i].flags != found[j].flags
    ]


def concept_counts(
    gold: Iterable[Mark], found: Iterable[Mark], matched: Iterable[tuple[Mark, Mark]]
) -> dict[str, Counts]:
    """Triples by concept, for the tables by concept and category."""
    in_gold = Counter(str(m.concept) for m in gold)
    predicted = Counter(str(m.concept) for m in found)
    right = Counter(str(a.concept) for a, _ in matched)
    return {
        concept: (right[concept], predicted[concept], in_gold[concept])
        for concept in sorted(in_gold | predicted)
    }


def by_category(
    concepts: Mapping[str, Counts], category_of: Mapping[str, str]
) -> dict[str, Counts]:
    """Add the triples of each category's concepts."""
    sums: dict[str, Counts] = {}
    for concept, (tp, predicted, gold) in concepts.items():
        category = category_of.get(concept, "?")
        a, b, c = sums.get(category, (0, 0, 0))
        sums[category] = (a + tp, b + predicted, c + gold)
    return sums
