"""Ridge logistic regression with sign constraints on its coefficients.

scikit-learn's ``LogisticRegression`` takes no bounds on its coefficients and one penalty for
all of them. This minimises the same objective under bounds with SciPy's L-BFGS-B, and returns
the result as a fitted ``LogisticRegression``: everything downstream (MLflow, skops,
contributions) meets the library's own class. ``studies/private_statistics.py`` compares them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.training.risk.arrays import Labels, Matrix, Vector, inverse_logit, log_losses


@dataclass(frozen=True, slots=True)
class Prior:
    """Sign and penalty of each coefficient, set before any data.

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


def fit_sign_constrained(
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
        residual = strength * weight * (inverse_logit(z) - outcome)
        loss = strength * float(weight @ log_losses(outcome, z))
        penalised = prior.penalty * beta[1:]
        gradient = np.concatenate([[residual.sum()], features.T @ residual + penalised])
        return loss + float(penalised @ beta[1:]) / 2, gradient

    by_direction = {1: (0.0, None), -1: (None, 0.0), 0: (None, None)}
    bounds = [(None, None), *(by_direction[int(d)] for d in prior.direction)]
    share = float(np.average(outcome, weights=weight))
    if start is None:
        start = np.zeros(features.shape[1] + 1)
        start[0] = np.log(share / (1 - share))
    optimum = minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 5000}
    )
    model = LogisticRegression(C=strength)
    model.coef_ = optimum.x[None, 1:]
    model.intercept_ = optimum.x[:1]
    model.classes_ = np.array([0, 1])
    model.n_features_in_ = features.shape[1]
    model.n_iter_ = np.array([optimum.nit], dtype=np.int32)
    return model
