"""Precision, recall and F1 of mentions: strict and by character, by label and pooled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clinical_nlp.neural.tagger.labels import LABELS

#: Label, start, end (exclusive), in code points.
MentionSpan = tuple[str, int, int]

#: Row over all labels: counts are pooled, F1s are not averaged.
MICRO = "micro"


@dataclass(frozen=True, slots=True)
class SpanCounts:
    """Counts behind one F1, of mentions or of characters."""

    true_positives: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted that is right; 0 where nothing was predicted."""
        return self.true_positives / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold that was predicted; 0 where there is no gold."""
        return self.true_positives / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.predicted + self.gold
        return 2 * self.true_positives / total if total else 0.0


@dataclass(frozen=True, slots=True)
class MentionScores:
    """Counts by label, and ``"micro"``.

    Attributes
    ----------
    strict
        A mention is right where label, start and end agree.
    character
        Characters inside mentions of the label.
    """

    strict: Mapping[str, SpanCounts]
    character: Mapping[str, SpanCounts]

    def flat(self) -> dict[str, float]:
        """F1s by name: ``strict.micro``, ``character.DISEASE`` and so on."""
        return {
            f"{kind}.{label}": round(counts.f1, 4)
            for kind, table in (("strict", self.strict), ("character", self.character))
            for label, counts in table.items()
        }


def score_mentions(
    documents: Iterable[tuple[Iterable[MentionSpan], Iterable[MentionSpan]]],
) -> MentionScores:
    """Score predicted mentions against gold ones.

    Parameters
    ----------
    documents
        Gold and predicted mentions of each document.
    """
    rows = (*LABELS, MICRO)
    strict: dict[str, Counter[str]] = {label: Counter() for label in rows}
    character: dict[str, Counter[str]] = {label: Counter() for label in rows}
    for gold, predicted in documents:
        gold, predicted = set(gold), set(predicted)
        for label in LABELS:
            right = {span for span in gold if span[0] == label}
            guess = {span for span in predicted if span[0] == label}
            _count(strict, label, right, guess)
            _count(character, label, _characters(right), _characters(guess))
    return MentionScores(_counts(strict), _counts(character))


def _characters(spans: Iterable[MentionSpan]) -> set[int]:
    return {offset for _, start, end in spans for offset in range(start, end)}


def _count(
    table: dict[str, Counter[str]],
    label: str,
    gold: set[MentionSpan] | set[int],
    predicted: set[MentionSpan] | set[int],
) -> None:
    for row in (label, MICRO):
        table[row]["true_positives"] += len(gold & predicted)
        table[row]["predicted"] += len(predicted)
        table[row]["gold"] += len(gold)


def _counts(table: Mapping[str, Counter[str]]) -> dict[str, SpanCounts]:
    return {
        label: SpanCounts(counts["true_positives"], counts["predicted"], counts["gold"])
        for label, counts in table.items()
    }
