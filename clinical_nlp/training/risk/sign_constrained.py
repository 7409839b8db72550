"""Ridge logistic regression whose weights keep the signs that medicine knows.

scikit-learn's ``LogisticRegression`` takes no bounds on its coefficients. This minimises the
same objective under them, and returns the result as a fitted ``LogisticRegression``, so that
everything downstream (MLflow, skops, contributions) meets the library's own class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.training.risk.measures import Labels, Vector

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known of the weights before any data.

    Parameters
    ----------
    direction
        1, -1 or 0 (either) by column.
    penalty
        Factor on the ridge penalty by column.
    """

    direction: npt.NDArray[np.int_]
    penalty: Vector

    @classmethod
    def of(cls, table: FeatureTable) -> Prior:
        """Read the feature table's directions and penalties."""
        pairs = [(name, table.topic_of[name]) for name in table.names]
        return cls(
            np.array([topic.direction_of(name) for name, topic in pairs], dtype=np.int_),
            np.array([topic.penalty_of(name) for name, topic in pairs], dtype=np.float64),
        )

    def columns(self, chosen: list[int]) -> Prior:
        """Keep some columns."""
        return Prior(self.direction[chosen], self.penalty[chosen])


def fit_bounded(
    features: Matrix,
    outcome: Labels,
    weight: Vector,
    strength: float,
    prior: Prior,
    start: Vector | None = None,
) -> LogisticRegression:
    """Minimise ``strength * sum(weight * log loss) + 1/2 sum(penalty * coefficient^2)``.

    Parameters
    ----------
    features
        Standardised, shape (examples, columns).
    weight
        Of each example.
    strength
        Inverse regularisation: scikit-learn's ``C``.
    start
        Intercept and coefficients to begin from, shape (columns + 1,).

    Returns
    -------
    LogisticRegression
        Fitted; its intercept is not penalised.
    """

    def objective(beta: Vector) -> tuple[float, Vector]:
        z = features @ beta[1:] + beta[0]
        p = 1 / (1 + np.exp(-np.clip(z, -700, 700)))
        residual = strength * weight * (p - outcome)
        loss = strength * float(weight @ (np.logaddexp(0, z) - outcome * z))
        shrunk = prior.penalty * beta[1:]
        gradient = np.concatenate([[residual.sum()], features.T @ residual + shrunk])
        return loss + float(shrunk @ beta[1:]) / 2, gradient

    sides = {1: (0.0, None), -1: (None, 0.0), 0: (None, None)}
    bounds = [(None, None), *(sides[int(d)] for d in prior.direction)]
    share = float(np.average(outcome, weights=weight))
    if start is None:
        start = np.zeros(features.shape[1] + 1)
        start[0] = np.log(share / (1 - share))
    found = minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 5000}
    )
    model = LogisticRegression(C=strength)
    model.coef_ = found.x[None, 1:]
    model.intercept_ = found.x[:1]
    model.classes_ = np.array([0, 1])
    model.n_features_in_ = features.shape[1]
    model.n_iter_ = np.array([found.nit], dtype=np.int32)
    return model
