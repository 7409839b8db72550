"""The linear classifier: imputation, scaling, ridge logistic regression with signs.

scikit-learn's ``LogisticRegression`` takes no bounds on its coefficients and one penalty for
all of them. :func:`fit_sign_constrained` minimises the same objective under bounds with SciPy's
L-BFGS-B, and returns the result as a fitted ``LogisticRegression``: everything downstream
(MLflow, skops, contributions) meets the library's own class. ``studies/private_statistics.py``
compares them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

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


def fit_logistic(
    features: Matrix, outcome: Labels, weight: Vector, strength: float, prior: Prior
) -> Pipeline:
    """Fit median imputation, scaling and logistic regression.

    A missing value is also a feature of its own, so the imputed median hides nothing.
    Weights are scaled to a mean of 1, so that ``strength`` means the same in any cohort.
    """
    scaled_weight = weight / weight.mean()
    columns = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    # The weighted variance of a constant column can round to just under 0, whose root
    # warns; scikit-learn leaves such a column unscaled.
    with np.errstate(invalid="ignore"):
        standardised = columns.fit_transform(features, scale__sample_weight=scaled_weight)
    regression = fit_sign_constrained(standardised, outcome, scaled_weight, strength, prior)
    return Pipeline([*columns.steps, ("classify", regression)])


def reference_patient(features: Matrix) -> tuple[float, ...]:
    """Return the medians of the training cohort, which reasons are compared with.

    A measurement that most patients lack is missing in the reference patient too; its value
    is the median of those who have it, 0 where nobody does.
    """
    empty = np.isnan(features).all(axis=0)
    medians = np.zeros(features.shape[1])
    medians[~empty] = np.nanmedian(features[:, ~empty], axis=0)
    return tuple(float(v) for v in medians)
