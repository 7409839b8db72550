"""Shapley values against one reference patient, for classifiers that are no sum.

A player is a clinical topic: it either holds the patient's values or the reference's. The
value of a topic is what it adds to the log-odds, averaged over orders in which the topics
are put in place (Štrumbelj & Kononenko, Knowl Inf Syst 2014;41:647). Every order adds up to
the whole difference, so the sum is exact whatever the number of orders; orders come in
pairs, each with its reverse, which cancels most of the noise (Mitchell et al., JMLR
2022;23:43).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

#: Pairs of orders. Fixed, with a fixed seed: an estimate explains itself the same way twice.
PAIRS = 8

_SEED = 20


def shapley(
    value: Callable[[npt.NDArray[np.bool_]], npt.NDArray[np.float64]],
    players: int,
    pairs: int = PAIRS,
) -> npt.NDArray[np.float64]:
    """Share the difference that all players make together among them.

    Parameters
    ----------
    value
        Log-odds of each row of a mask of shape (rows, players), where true means that the
        player holds the patient's values.
    players
        How many there are.

    Returns
    -------
    ndarray of shape (players,)
        Sums to ``value(all) - value(none)``.
    """
    if players == 0:
        return np.zeros(0)
    generator = np.random.default_rng(_SEED)
    orders = [generator.permutation(players) for _ in range(pairs)]
    orders += [order[::-1] for order in orders]
    masks = np.zeros((len(orders), players + 1, players), dtype=np.bool_)
    for number, order in enumerate(orders):
        for step, player in enumerate(order):
            masks[number, step + 1 :, player] = True
    values = value(masks.reshape(-1, players)).reshape(len(orders), players + 1)
    gains = np.diff(values, axis=1)
    total = np.zeros(players)
    for order, gain in zip(orders, gains, strict=True):
        total[order] += gain
    return total / len(orders)
