"""Precision, recall and F1 of pooled counts, with bootstrap intervals over notes.

Every measure is a triple per note (true positives, predicted, gold): any set of notes, such
as a bootstrap sample, is scored by adding triples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

#: Triple of one note for one measure: (true positives, predicted, gold).
Counts = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 of pooled counts, with the interval of F1.

    ``low`` and ``high`` bound the F1's 95% percentile bootstrap interval over notes
    (Efron & Tibshirani 1993, ch. 13).
    """

    precision: float
    recall: float
    f1: float
    low: float
    high: float
    true_positives: int
    predicted: int
    gold: int


def f1(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 of pooled counts, shape (..., 3) → (...); 0 where nothing is gold or predicted."""
    both = counts[..., 1] + counts[..., 2]
    return np.divide(2 * counts[..., 0], both, out=np.zeros_like(both), where=both > 0)


def score(notes: Sequence[Counts], samples: int = 1000, seed: int = 0) -> Score:
    """Pool the notes' counts.

    Parameters
    ----------
    notes
        One triple per note.
    samples
        Bootstrap samples of notes, drawn with replacement.
    seed
        Seed of the draw.
    """
    table = np.asarray(notes, dtype=np.float64).reshape(-1, 3)
    total = table.sum(axis=0)
    low = high = 0.0
    if len(table):
        draw = np.random.default_rng(seed).integers(0, len(table), (samples, len(table)))
        # One row of draw counts a note at a time: samples × notes weights, not × 3 copies.
        weights = np.stack([np.bincount(row, minlength=len(table)) for row in draw])
        low, high = np.percentile(f1(weights @ table), [2.5, 97.5])
    tp, predicted, gold = (int(n) for n in total)
    return Score(
        precision=tp / predicted if predicted else 0.0,
        recall=tp / gold if gold else 0.0,
        f1=float(f1(total)),
        low=float(low),
        high=float(high),
        true_positives=tp,
        predicted=predicted,
        gold=gold,
    )


def score_all(
    notes: Sequence[Mapping[str, Counts]], samples: int = 1000, seed: int = 0
) -> dict[str, Score]:
    """Score every measure; a note without it counts as zeros."""
    names = dict.fromkeys(name for note in notes for name in note)
    zeros: Counts = (0, 0, 0)
    return {name: score([note.get(name, zeros) for note in notes], samples, seed) for name in names}


def pair_overlaps(
    gold: Sequence[T],
    predicted: Sequence[T],
    span: Callable[[T], tuple[int, int]],
    same: Callable[[T, T], bool],
) -> list[tuple[int, int]]:
    """Pair gold and predicted spans one to one, longest overlap first.

    Returns
    -------
    list of (int, int)
        Indices of the paired gold and predicted spans.
    """
    candidates = []
    for i, a in enumerate(gold):
        for j, b in enumerate(predicted):
            overlap = min(span(a)[1], span(b)[1]) - max(span(a)[0], span(b)[0])
            if overlap > 0 and same(a, b):
                candidates.append((overlap, i, j))
    pairs: list[tuple[int, int]] = []
    used_gold: set[int] = set()
    used_predicted: set[int] = set()
    for _, i, j in sorted(candidates, reverse=True):
        if i not in used_gold and j not in used_predicted:
            used_gold.add(i)
            used_predicted.add(j)
            pairs.append((i, j))
    return pairs
