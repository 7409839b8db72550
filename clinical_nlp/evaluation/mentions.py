"""How good mentions are: strict and by character, by label and over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clinical_nlp.neural.tagger.labels import LABELS

#: label, start, end.
Place = tuple[str, int, int]

#: Row over all labels: counts are summed, not F1s averaged.
MICRO = "micro"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts behind one F1.

    Attributes
    ----------
    right, found, gold
        Mentions (or characters) that agree, were found, and should have been.
    """

    right: int
    found: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 0 where nothing was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of what should have been found that was."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        total = self.found + self.gold
        return 2 * self.right / total if total else 0.0


@dataclass(frozen=True, slots=True)
class MentionMeasures:
    """Agreement by label, and ``"micro"``.

    Attributes
    ----------
    strict
        A mention counts where label, start and end agree.
    character
        Characters inside mentions of the label.
    """

    strict: Mapping[str, Agreement]
    character: Mapping[str, Agreement]

    def flat(self) -> dict[str, float]:
        """F1s by name: ``strict.micro``, ``character.DISEASE`` and so on."""
        return {
            f"{kind}.{label}": round(agreement.f1, 4)
            for kind, table in (("strict", self.strict), ("character", self.character))
            for label, agreement in table.items()
        }


def measure(pairs: Iterable[tuple[Iterable[Place], Iterable[Place]]]) -> MentionMeasures:
    """Compare gold with found mentions, document by document.

    Parameters
    ----------
    pairs
        Gold and found mentions of each document.
    """
    strict: dict[str, Counter[str]] = {label: Counter() for label in (*LABELS, MICRO)}
    character: dict[str, Counter[str]] = {label: Counter() for label in (*LABELS, MICRO)}
    for gold, found in pairs:
        gold_places, found_places = set(gold), set(found)
        for label in LABELS:
            wanted = {place for place in gold_places if place[0] == label}
            had = {place for place in found_places if place[0] == label}
            _count(strict, label, wanted, had)
            _count(character, label, _characters(wanted), _characters(had))
    return MentionMeasures(_agreements(strict), _agreements(character))


def _characters(places: Iterable[Place]) -> set[int]:
    return {offset for _, start, end in places for offset in range(start, end)}


def _count(
    table: dict[str, Counter[str]],
    label: str,
    wanted: set[Place] | set[int],
    had: set[Place] | set[int],
) -> None:
    for row in (label, MICRO):
        table[row]["right"] += len(wanted & had)
        table[row]["found"] += len(had)
        table[row]["gold"] += len(wanted)


def _agreements(table: Mapping[str, Counter[str]]) -> dict[str, Agreement]:
    return {
        label: Agreement(counts["right"], counts["found"], counts["gold"])
        for label, counts in table.items()
    }
