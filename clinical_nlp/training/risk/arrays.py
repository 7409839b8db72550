"""Array types of the risk training, and the two maps between probability and log-odds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Shape (examples, features).
Matrix = npt.NDArray[np.float64]
#: Shape (examples,): a number of each example.
Vector = npt.NDArray[np.float64]
#: Shape (examples,): 0 or 1.
Labels = npt.NDArray[np.int_]
#: Row numbers of some examples.
Rows = npt.NDArray[np.int_]
#: Patient id of each example.
PatientIds = npt.NDArray[np.str_]


def logit(probability: Vector) -> Vector:
    """Log-odds; probabilities are kept within 1e-9 of 0 and 1."""
    p = np.clip(probability, 1e-9, 1 - 1e-9)
    result: Vector = np.log(p / (1 - p))
    return result


def inverse_logit(log_odds: Vector, bound: float = 700.0) -> Vector:
    """Probability; log-odds beyond ``bound`` either way count as ``bound``.

    Not ``scipy.special.expit``, whose last bits differ: shipped estimates would change.
    """
    result: Vector = 1 / (1 + np.exp(-np.clip(log_odds, -bound, bound)))
    return result


def log_losses(outcome: Labels, log_odds: Vector) -> Vector:
    """Negative log likelihood of each example, from its log-odds."""
    losses: Vector = np.logaddexp(0, log_odds) - outcome * log_odds
    return losses
