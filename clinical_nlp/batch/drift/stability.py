"""The population stability index of one number in two batches."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

Vector = npt.NDArray[np.float64]

#: Added to the count of every bin, so that an empty one has a logarithm.
_PSEUDO_COUNT = 0.5


@dataclass(frozen=True, slots=True)
class StabilityIndex:
    """How far a distribution shifted between two batches.

    Parameters
    ----------
    index
        Population stability index: sum over bins of (b - a) * ln(b / a).
    null_bound
        Quantile of the index under no shift (Yurdakul 2018); a shift is reported only above it.
    labels
        Labels of the bins; the last is ``"missing"`` if a value is missing.
    before, after
        Share of patients in each bin.
    """

    index: float
    null_bound: float
    labels: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def bins(self) -> list[tuple[str, float, float]]:
        """Label and the two shares of each bin."""
        return list(zip(self.labels, self.before, self.after, strict=True))


def stability_index(
    before: Vector, after: Vector, bins: int = 10, null_quantile: float = 0.9999
) -> StabilityIndex:
    """Return the population stability index of two samples; NaN has its own bin.

    Parameters
    ----------
    before, after
        Shapes (n,) and (m,), neither empty. The bins are quantiles of ``before``.
    bins
        Number of quantile bins; up to that many distinct values have a bin each.
    null_quantile
        Quantile of the index under no shift, 0..1, for ``null_bound``.

    Examples
    --------
    >>> same = stability_index(np.arange(1000.0), np.arange(1000.0))
    >>> round(same.index, 6), same.index < same.null_bound
    (0.0, True)
    """
    edges, labels = _bins(before, after, bins)
    counts = [_counts(values, edges) for values in (before, after)]
    if counts[0][-1] + counts[1][-1] == 0:
        counts = [count[:-1] for count in counts]
        labels = labels[:-1]
    shares = [
        (count + _PSEUDO_COUNT) / (count.sum() + _PSEUDO_COUNT * len(count)) for count in counts
    ]
    a, b = shares
    index = float(((b - a) * np.log(b / a)).sum())
    degrees = max(len(a) - 1, 1)
    null_bound = float((1 / len(before) + 1 / len(after)) * chi2.ppf(null_quantile, degrees))
    raw_shares = [tuple((count / count.sum()).tolist()) for count in counts]
    return StabilityIndex(index, null_bound, tuple(labels), *raw_shares)


def _bins(before: Vector, after: Vector, bins: int) -> tuple[Vector, list[str]]:
    """Upper edges (exclusive of the last, which is infinite) and labels."""
    known = before[~np.isnan(before)]
    values = np.unique(np.concatenate([known, after[~np.isnan(after)]]))
    if len(values) <= bins:
        # Halfway between two values: a bin each.
        edges = (values[1:] + values[:-1]) / 2
        labels = [f"{value:g}" for value in values] or ["none"]
    else:
        source = known if len(known) else values
        edges = np.unique(np.quantile(source, np.linspace(0, 1, bins + 1)[1:-1]))
        bounds = [f"{edge:.4g}" for edge in edges]
        labels = [
            f"up to {bounds[0]}",
            *(f"{low} to {high}" for low, high in pairwise(bounds)),
            f"over {bounds[-1]}",
        ]
    return edges, [*labels, "missing"]


def _counts(values: Vector, edges: Vector) -> npt.NDArray[np.float64]:
    """Patients by bin; the last is of missing values."""
    known = values[~np.isnan(values)]
    # side="left": a value on an edge belongs below it, as in "up to".
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.append(counts, len(values) - len(known)).astype(np.float64)
