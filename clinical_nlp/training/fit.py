"""Fits the risk classifier: ridge logistic regression, calibrated, still one linear model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from clinical_nlp.training.measures import Labels, logit
from clinical_nlp.training.recipe import FitRecipe

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """One regularisation strength and its cross-validated loss, by fold."""

    strength: float
    losses: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean log loss over the folds."""
        return float(np.mean(self.losses))

    @property
    def error(self) -> float:
        """Standard error of :attr:`mean`."""
        return float(np.std(self.losses, ddof=1) / np.sqrt(len(self.losses)))


def classifier(strength: float, l1_ratio: float = 0.0) -> Pipeline:
    """Return an unfitted pipeline: median imputation, scaling, logistic regression.

    A missing value is also a feature of its own, so the median here says nothing false.
    """
    solver = "lbfgs" if l1_ratio == 0 else "saga"
    return Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
            (
                "classify",
                LogisticRegression(
                    C=strength, l1_ratio=l1_ratio, solver=solver, max_iter=2000, random_state=0
                ),
            ),
        ]
    )


def choose_strength(
    features: Matrix, outcome: Labels, patients: Sequence[str], recipe: FitRecipe
) -> list[Choice]:
    """Cross-validate every strength of the recipe, patients kept whole.

    Returns
    -------
    list of Choice
        In the recipe's order; :func:`simplest` picks one.
    """
    folds = StratifiedGroupKFold(recipe.folds, shuffle=True, random_state=recipe.seed)
    splits = list(folds.split(features, outcome, groups=np.array(patients)))
    choices = []
    for strength in recipe.strengths:
        losses = []
        for train, held_out in splits:
            model = classifier(strength, recipe.l1_ratio).fit(features[train], outcome[train])
            predicted = model.predict_proba(features[held_out])[:, 1]
            losses.append(float(log_loss(outcome[held_out], predicted, labels=[0, 1])))
        choices.append(Choice(strength, tuple(losses)))
    return choices


def simplest(choices: Sequence[Choice]) -> Choice:
    """Return the strongest regularisation within one standard error of the best.

    The one-standard-error rule: Hastie, Tibshirani & Friedman, The Elements of
    Statistical Learning, 2nd ed., section 7.10.
    """
    best = min(choices, key=lambda choice: choice.mean)
    near = [choice for choice in choices if choice.mean <= best.mean + best.error]
    return min(near, key=lambda choice: choice.strength)


def calibrate(model: Pipeline, features: Matrix, outcome: Labels) -> tuple[float, float]:
    """Apply Platt scaling inside a fitted pipeline, in place.

    Log-odds ``a * z + b`` of a linear ``z`` are linear too: the slope is multiplied into the
    coefficients and the intercept, so the model stays one logistic regression whose
    contributions remain exact.

    Parameters
    ----------
    features, outcome
        Examples of patients that the fit has not seen.

    Returns
    -------
    tuple of float
        Slope ``a`` and intercept ``b``. A slope that is not positive would turn the ranking
        round; then only the intercept is fitted.
    """
    regression = model[-1]
    z = logit(model.predict_proba(features)[:, 1])
    platt = LogisticRegression(C=np.inf).fit(z.reshape(-1, 1), outcome)
    slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    if slope <= 0:
        slope, shift = 1.0, float(np.log(outcome.mean() / (1 - outcome.mean())) - z.mean())
    regression.coef_ = regression.coef_ * slope
    regression.intercept_ = regression.intercept_ * slope + shift
    return slope, shift


def reference_patient(model: Pipeline, features: Matrix) -> tuple[float, ...]:
    """Return the medians of the training cohort, as reasons compare against.

    A measurement that most patients lack is missing in the reference patient too: its
    value is the imputed one.
    """
    imputed = model[0].transform(features)
    return tuple(float(v) for v in np.median(imputed, axis=0))
