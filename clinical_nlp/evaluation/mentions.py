"""Precision, recall and F1 of mentions: strict and by character, by label and pooled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from clinical_nlp.neural.tagger.labels import LABELS

#: Label, start, end (exclusive), in code points.
MentionSpan = tuple[str, int, int]

#: Row over all labels: counts are pooled, F1s are not averaged.
MICRO = "micro"


@dataclass(slots=True)
class SpanCounts:
    """Counts behind one F1, of mentions or of characters."""

    true_positives: int = 0
    predicted: int = 0
    gold: int = 0

    def add(self, gold: Set[object], predicted: Set[object]) -> None:
        """Count the mentions or characters of one document."""
        self.true_positives += len(gold & predicted)
        self.predicted += len(predicted)
        self.gold += len(gold)

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

    def rounded(self) -> dict[str, float]:
        """Return the measures with four decimals, and the counts."""
        return {
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
            "gold": self.gold,
            "found": self.predicted,
        }


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
    strict = {label: SpanCounts() for label in (*LABELS, MICRO)}
    character = {label: SpanCounts() for label in (*LABELS, MICRO)}
    for gold, predicted in documents:
        gold, predicted = set(gold), set(predicted)
        for label in LABELS:
            right = {span for span in gold if span[0] == label}
            guess = {span for span in predicted if span[0] == label}
            right_characters, guessed_characters = _characters(right), _characters(guess)
            for row in (label, MICRO):
                strict[row].add(right, guess)
                character[row].add(right_characters, guessed_characters)
    return MentionScores(strict, character)


def _characters(spans: Iterable[MentionSpan]) -> set[int]:
    return {offset for _, start, end in spans for offset in range(start, end)}
