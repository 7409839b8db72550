"""Shapley values against a single reference person, by permutation sampling.

A player is a clinical topic, which takes either the patient's values or the reference's. Its
value is what it adds to the log-odds, averaged over orders in which topics are switched to
the patient's values (Štrumbelj & Kononenko, Knowl Inf Syst 2014;41:647). Contributions add up
exactly for any number of orders. Orders are antithetic pairs, each with its reverse, which
reduces the variance (Mitchell et al., JMLR 2022;23:43).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

#: Pairs of orders; with the fixed seed, explanations are reproducible.
PAIRS = 8

_SEED = 20


def shapley(
    value: Callable[[npt.NDArray[np.bool_]], npt.NDArray[np.float64]],
    players: int,
    pairs: int = PAIRS,
) -> npt.NDArray[np.float64]:
    """Estimate the Shapley value of each player.

    Parameters
    ----------
    value
        Maps coalitions, shape (rows, players), to log-odds, shape (rows,). True means that
        the player takes the patient's values.
    players
        Number of players.
    pairs
        Pairs of orders to sample.

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
