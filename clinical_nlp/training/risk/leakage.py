"""Leakage checks: tries to predict the outcome from what must carry no signal.

A check that succeeds means that the cohort, the split or a feature reveals what nobody could
know on the index day. The run then fails, and no model is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from clinical_nlp.errors import ModelError
from clinical_nlp.evaluation.splits import hash_fraction
from clinical_nlp.lexicon import Lexicon
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.training.risk.arrays import Labels, Matrix, PatientIds, Rows, Vector
from clinical_nlp.training.risk.dataset import Cohort, Data
from clinical_nlp.training.risk.measures import has_both_outcomes, with_intervals
from clinical_nlp.training.risk.temporal_leakage import entries_after_index, features_that_change

#: A check fails when the lower bound of its AUROC is above this: 0.5 is chance, and with
#: several checks one in forty lies above 0.5 by chance.
CHANCE = 0.53

#: An AUROC that no honest model of this question reaches (the literature reports 0.76 to
#: 0.83; 0.97 on any cohort means leakage).
TOO_GOOD = 0.95

#: An AUROC that no single feature reaches.
FEATURE_TOO_GOOD = 0.9

#: Share of test patients who may share long notes with a training patient.
SAME_NOTES = 0.01

_RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class LeakageCheck:
    """One check and its result.

    Parameters
    ----------
    figure
        AUROC within age and sex, a share, or a count: ``what`` says which.
    limit
        What ``low`` (the lower bound of ``figure``) must not exceed.
    """

    name: str
    what: str
    figure: float
    low: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether no leakage was found."""
        return not self.low > self.limit


def run_leakage_checks(
    cohort: Cohort,
    data: Data,
    rows: Mapping[str, Rows],
    table: FeatureTable,
    lexicon: Lexicon,
    refit: Callable[[Data, Data], Vector],
    test_auroc: float,
    seed: int,
) -> list[LeakageCheck]:
    """Run every check.

    Parameters
    ----------
    data
        The cohort's examples.
    rows
        Row numbers of the parts of the split.
    refit
        Fits the selected model on some examples and returns the log-odds of others.
    test_auroc
        Of the selected model, on the test patients.
    """
    order = {patient: place for place, patient in enumerate(dict.fromkeys(data.patients.tolist()))}
    columns = {
        "patient id": _id_columns(data.patients),
        "place in the export": np.array([[order[p]] for p in data.patients], dtype=np.float64),
        "day of the month and week": np.array(
            [[t.as_of.day, t.as_of.weekday()] for t in data.timelines], dtype=np.float64
        ),
        "resources after the index day": entries_after_index(data),
    }
    checks = [_check_columns(name, x, data, seed) for name, x in columns.items()]
    after = float((columns["resources after the index day"] > 0).any(axis=1).mean())
    changed = features_that_change(cohort, table, lexicon)
    best_auroc, feature = _best_feature(data, table)
    shared = _share_with_same_notes(cohort, data, rows)
    return [
        *checks,
        _exact("examples that hold any", "share that knows the future", after, 0.0),
        _check_permuted_outcomes(data, rows, refit, seed),
        _exact(
            "features with the future cut off or made up",
            "index days whose features change",
            float(changed),
            0.0,
        ),
        _exact(f"single feature ({feature})", "AUROC", best_auroc, FEATURE_TOO_GOOD),
        _exact("the model itself", "AUROC on test", test_auroc, TOO_GOOD),
        _exact("same notes in training and test", "share of test patients", shared, SAME_NOTES),
    ]


def require_no_leakage(checks: Sequence[LeakageCheck]) -> None:
    """Stop where a check failed.

    Raises
    ------
    ModelError
        E422: with the checks that failed.
    """
    failed = [check for check in checks if not check.passed]
    if failed:
        figures = "; ".join(f"{c.name}: {c.what} {c.figure:.3f}" for c in failed)
        raise ModelError(
            "E422",
            f"leakage was found ({figures}): find where the cohort or a feature reveals the "
            "outcome, mend it, and train again; --no-leakage-checks trains all the same, "
            "to look into it",
        )


def _exact(name: str, what: str, figure: float, limit: float) -> LeakageCheck:
    """A figure without an interval."""
    return LeakageCheck(name, what, figure, figure, limit)


def _check_columns(name: str, columns: Matrix, data: Data, seed: int) -> LeakageCheck:
    """Cross-validated AUROC of trees over some columns, within strata of age and sex.

    Within strata, because an id given in order of birth predicts age, which is no leakage.
    """
    what = "AUROC within age and sex"
    if np.ptp(columns, axis=0).max() == 0:
        return LeakageCheck(name, what, 0.5, 0.5, CHANCE)
    trees = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=6, min_samples_leaf=40, random_state=seed
    )
    score = cross_val_predict(
        trees,
        columns,
        data.outcome,
        groups=data.patients,
        cv=GroupKFold(5, shuffle=True, random_state=seed),
        method="predict_proba",
        params={"sample_weight": data.weight},
    )[:, 1]
    strata = np.array([f"{t.sex}{(t.age or 0) // 5 * 5}" for t in data.timelines])

    def measure(rows: Rows) -> Mapping[str, float]:
        labels = data.outcome[rows], data.weight[rows]
        return {"auroc": _auroc_within(*labels, score[rows], strata[rows])}

    auroc = with_intervals(measure, data.patients, _RESAMPLES, seed)["auroc"]
    return LeakageCheck(name, what, auroc.value, auroc.low, CHANCE)


def _auroc_within(
    outcome: Labels, weight: Vector, score: Vector, strata: npt.NDArray[np.str_]
) -> float:
    """AUROC over pairs of the same stratum, each stratum weighted by its outcomes."""
    total, sum_weights = 0.0, 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        y = outcome[inside]
        if has_both_outcomes(y):
            share = float((weight * outcome)[inside].sum())
            total += share * float(roc_auc_score(y, score[inside], sample_weight=weight[inside]))
            sum_weights += share
    return total / sum_weights if sum_weights else math.nan


def _id_columns(patients: PatientIds) -> Matrix:
    """What an id could reveal: its order, its length, its digits, its letters."""
    place = {p: i for i, p in enumerate(sorted(set(patients.tolist())))}

    def columns(patient: str) -> list[float]:
        digits = re.sub(r"\D", "", patient)[-9:]
        return [
            float(place[patient]),
            float(len(patient)),
            float(digits or 0),
            float(sum(map(ord, patient)) % 97),
            hash_fraction(f"audit|{patient}"),
        ]

    by_patient = {p: columns(p) for p in place}
    return np.array([by_patient[p] for p in patients.tolist()], dtype=np.float64)


def _check_permuted_outcomes(
    data: Data, rows: Mapping[str, Rows], refit: Callable[[Data, Data], Vector], seed: int
) -> LeakageCheck:
    """Train on outcomes permuted at random: nothing can be learnt from them."""
    permuted = replace(data, outcome=np.random.default_rng(seed).permutation(data.outcome))
    test = permuted.take(rows["test"])
    score = refit(permuted.take(rows["train"]), test)

    def measure(drawn: Rows) -> Mapping[str, float]:
        y = test.outcome[drawn]
        return {"auroc": float(roc_auc_score(y, score[drawn])) if has_both_outcomes(y) else np.nan}

    auroc = with_intervals(measure, test.patients, _RESAMPLES, seed)["auroc"]
    return LeakageCheck(
        "outcomes dealt out at random", "AUROC on test", auroc.value, auroc.low, CHANCE
    )


def _best_feature(data: Data, table: FeatureTable) -> tuple[float, str]:
    """Highest AUROC of a single feature, either way round, and the feature's name."""
    best, name = 0.5, "none"
    if has_both_outcomes(data.outcome):
        for number, feature in enumerate(table.names):
            column = data.features[:, number]
            filled = np.where(np.isnan(column), -1e9, column)
            auroc = float(roc_auc_score(data.outcome, filled, sample_weight=data.weight))
            if max(auroc, 1 - auroc) > best:
                best, name = max(auroc, 1 - auroc), feature
    return best, name


def _share_with_same_notes(cohort: Cohort, data: Data, rows: Mapping[str, Rows]) -> float:
    """Share of test patients with two long notes that stand in a training record too."""
    patients = {part: set(data.patients[rows[part]].tolist()) for part in ("train", "test")}
    in_training: set[bytes] = set()
    for patient in patients["train"]:
        in_training |= cohort.long_notes.get(patient, set())
    same = sum(len(cohort.long_notes.get(p, set()) & in_training) >= 2 for p in patients["test"])
    return same / max(1, len(patients["test"]))
