"""Group training examples of similar length into batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def group_by_length(
    lengths: Sequence[int],
    most: int,
    random: np.random.Generator | None = None,
    *,
    jitter: float = 0.0,
) -> list[list[int]]:
    """Indices of examples in groups of at most ``most`` tokens, padding included.

    Parameters
    ----------
    lengths
        Tokens of each example.
    random
        Jitters the order of lengths, so that two epochs have different batches, and shuffles the
        groups; without it they run from short to long.
    jitter
        Most tokens that are added to a length before sorting.
    """
    keys = np.array(lengths, dtype=np.float64)
    if random is not None:
        keys = keys + random.random(len(keys)) * jitter
    groups: list[list[int]] = [[]]
    longest = 0
    for index in np.argsort(keys, kind="stable").tolist():
        longest = max(longest, lengths[index])
        if groups[-1] and longest * (len(groups[-1]) + 1) > most:
            groups.append([])
            longest = lengths[index]
        groups[-1].append(index)
    if random is not None:
        random.shuffle(groups)
    return groups
