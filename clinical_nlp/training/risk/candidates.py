"""The model families that compete, behind one interface: fit examples, score examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.training.risk.arrays import Vector
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.logistic import Prior, fit_logistic
from clinical_nlp.training.risk.network import SequenceCandidate
from clinical_nlp.training.risk.recipe import BoostingRecipe, FitRecipe

Setting = Mapping[str, float]


class Candidate(Protocol):
    """One model family.

    ``name`` is what reports call it; ``settings`` are what cross-validation chooses from,
    the simplest first.
    """

    @property
    def name(self) -> str:
        """See the class."""
        ...

    @property
    def settings(self) -> Sequence[Setting]:
        """See the class."""
        ...

    def fit(self, data: Data, setting: Setting) -> Any:  # noqa: ANN401  # each family its own
        """Fit all of ``data``."""
        ...

    def log_odds(self, model: Any, data: Data) -> Vector:  # noqa: ANN401
        """Uncalibrated log-odds of the outcome: shape (examples,)."""
        ...


class LogisticCandidate:
    """Ridge logistic regression with the signs that the feature table gives.

    Parameters
    ----------
    strengths
        Inverse regularisation, ascending: the simplest first.
    columns
        Columns of the feature table that it uses; all of them where ``None``.
    """

    def __init__(
        self,
        name: str,
        table: FeatureTable,
        strengths: Sequence[float],
        columns: Sequence[str] | None = None,
    ) -> None:
        self.name = name
        self.settings: list[Setting] = [{"strength": c} for c in strengths]
        names = list(table.names)
        self._columns = [names.index(n) for n in (names if columns is None else columns)]
        self._prior = Prior.of(table).columns(self._columns)

    def fit(self, data: Data, setting: Setting) -> Pipeline:
        """Fit all of ``data``."""
        features = data.features[:, self._columns]
        return fit_logistic(features, data.outcome, data.weight, setting["strength"], self._prior)

    def log_odds(self, model: Pipeline, data: Data) -> Vector:
        """Uncalibrated log-odds."""
        scores: Vector = model.decision_function(data.features[:, self._columns])
        return scores


class BoostingCandidate:
    """scikit-learn's histogram gradient boosting, monotone where the feature table says so."""

    name = "boosting"

    def __init__(self, table: FeatureTable, recipe: BoostingRecipe, seed: int) -> None:
        self.settings: list[Setting] = [{"leaves": float(n)} for n in recipe.leaves]
        self._recipe = recipe
        self._seed = seed
        self._directions = Prior.of(table).direction

    def fit(self, data: Data, setting: Setting) -> Pipeline:
        """Fit all of ``data``; a missing value goes down a branch of its own."""
        trees = HistGradientBoostingClassifier(
            learning_rate=self._recipe.learning_rate,
            max_iter=self._recipe.iterations,
            max_leaf_nodes=int(setting["leaves"]),
            min_samples_leaf=self._recipe.min_leaf,
            max_bins=self._recipe.bins,
            l2_regularization=self._recipe.ridge,
            monotonic_cst=self._directions,
            early_stopping=False,
            random_state=self._seed,
        )
        weight = data.weight / data.weight.mean()
        # A column without a single value cannot be binned; as a constant it is never split on.
        empty = np.isnan(data.features).all(axis=0)
        features = np.where(empty, 0.0, data.features)
        return Pipeline([("classify", trees)]).fit(
            features, data.outcome, classify__sample_weight=weight
        )

    def log_odds(self, model: Pipeline, data: Data) -> Vector:
        """Uncalibrated log-odds."""
        scores: Vector = model.decision_function(data.features)
        return scores


def candidates(table: FeatureTable, recipe: FitRecipe) -> list[Candidate]:
    """The recipe's candidates, simplest family first."""
    families: dict[str, Candidate] = {
        "logistic": LogisticCandidate("logistic", table, recipe.strengths),
        "boosting": BoostingCandidate(table, recipe.boosting, recipe.seed),
        "sequence": SequenceCandidate(table, recipe.sequence, recipe.seed),
    }
    return [families[name] for name in families if name in recipe.families]


#: Least share of the smaller group of a flag, and of those measured, for a feature to be learnt.
MIN_SHARE = 0.01
MIN_MEASURED = 0.1


def transportable_features(table: FeatureTable, *cohorts: Data) -> list[str]:
    """Features that mean the same wherever the record was kept, and that every cohort has.

    What the patient has (age, sex, coded conditions, measured values), not what was done:
    how often patients are seen, measured and treated differs between services. No outcome is
    looked at, so the cohort that will be tested on may be given too.

    Returns
    -------
    list of str
        In the order of the table.
    """
    chosen = []
    for number, name in enumerate(table.names):
        topic = table.topic_of[name]
        columns = [data.features[:, number] for data in cohorts]
        if topic.key in ("age", "male"):
            chosen.append(name)
        elif topic.kind == "condition" and name.startswith("structured_"):
            if all(MIN_SHARE < column.mean() < 1 - MIN_SHARE for column in columns):
                chosen.append(name)
        elif (
            topic.measured
            and name == topic.key
            and all(np.isfinite(column).mean() >= MIN_MEASURED for column in columns)
        ):
            chosen.append(name)
    return chosen


def age_and_sex_baseline(table: FeatureTable, recipe: FitRecipe) -> LogisticCandidate:
    """Logistic regression on age and sex: the baseline of every model."""
    columns = [name for name in table.names if table.topic_of[name].key in ("age", "male")]
    return LogisticCandidate("age and sex only", table, recipe.strengths, columns)
