"""Fits the risk classifier: ridge logistic regression, calibrated, still one linear model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from clinical_nlp.training.bounded import Prior, fit_bounded
from clinical_nlp.training.measures import Labels, Vector, logistic_line, logit
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

    def worse_than(self, best: Choice) -> tuple[float, float]:
        """Mean difference in loss to another choice, fold by fold, and its standard error."""
        differences = np.subtract(self.losses, best.losses)
        error = np.std(differences, ddof=1) / np.sqrt(len(differences))
        return float(differences.mean()), float(error)


def fit(
    features: Matrix, outcome: Labels, weight: Vector, strength: float, prior: Prior
) -> Pipeline:
    """Fit median imputation, scaling and logistic regression.

    A missing value is also a feature of its own, so the median here says nothing false.
    Weights are scaled to a mean of 1, so that ``strength`` means the same in any cohort.
    """
    scaled = weight / weight.mean()
    columns = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    # The weighted variance of a constant column can round to just under 0, whose root
    # warns; scikit-learn leaves such a column unscaled.
    with np.errstate(invalid="ignore"):
        standardised = columns.fit_transform(features, scale__sample_weight=scaled)
    regression = fit_bounded(standardised, outcome, scaled, strength, prior)
    return Pipeline([*columns.steps, ("classify", regression)])


def choose_strength(
    features: Matrix,
    outcome: Labels,
    weight: Vector,
    patients: Sequence[str],
    prior: Prior,
    recipe: FitRecipe,
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
            model = fit(features[train], outcome[train], weight[train], strength, prior)
            predicted = model.predict_proba(features[held_out])[:, 1]
            loss = log_loss(
                outcome[held_out], predicted, sample_weight=weight[held_out], labels=[0, 1]
            )
            losses.append(float(loss))
        choices.append(Choice(strength, tuple(losses)))
    return choices


def simplest(choices: Sequence[Choice]) -> Choice:
    """Return the strongest regularisation within one standard error of the best.

    The one-standard-error rule (Hastie, Tibshirani & Friedman, The Elements of Statistical
    Learning, 2nd ed., section 7.10), with the error of the difference between the two,
    fold by fold: with rare outcomes the folds differ far more than the choices do.
    """
    best = min(choices, key=lambda choice: choice.mean)
    near = []
    for choice in choices:
        difference, error = choice.worse_than(best)
        if difference <= error:
            near.append(choice)
    return min(near, key=lambda choice: choice.strength)


def calibrate(
    model: Pipeline, features: Matrix, outcome: Labels, weight: Vector
) -> tuple[float, float]:
    """Apply Platt scaling inside a fitted pipeline, in place.

    Log-odds ``a * z + b`` of a linear ``z`` are linear too: the slope is multiplied into the
    coefficients and the intercept, so the model stays one logistic regression whose
    contributions remain exact.

    Parameters
    ----------
    features, outcome, weight
        Examples of patients that the fit has not seen.

    Returns
    -------
    tuple of float
        Slope ``a`` and intercept ``b``. A slope that is not positive would turn the ranking
        round; then only the intercept is fitted.
    """
    regression = model[-1]
    z = logit(model.predict_proba(features)[:, 1])
    shift, slope = logistic_line(outcome, z, weight)
    if slope <= 0:
        shift, slope = logistic_line(outcome, z, weight, free_slope=False)
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
