"""Leakage checks: tries to predict the outcome from what must carry no signal.

A check that succeeds means that the cohort, the split or a feature reveals what nobody could
know on the index day. The run then fails, and no model is written. Limits and remedies:
``leakage.toml``; checks of the record's dates: ``record_check.py``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from sklearn.metrics import roc_auc_score

from clinical_nlp.errors import ModelError
from clinical_nlp.evaluation.splits import hash_fraction
from clinical_nlp.lexicon import Lexicon
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.training.risk.arrays import Matrix, PatientIds, Rows, Vector
from clinical_nlp.training.risk.checks import (
    RESAMPLES,
    LeakageCheck,
    can_be_measured,
    check,
    check_columns,
)
from clinical_nlp.training.risk.dataset import Cohort, Data
from clinical_nlp.training.risk.measures import has_both_outcomes, with_intervals
from clinical_nlp.training.risk.record_check import record_checks
from clinical_nlp.training.risk.temporal_leakage import entries_after_index, features_that_change


def run_leakage_checks(
    cohort: Cohort,
    data: Data,
    rows: Mapping[str, Rows],
    table: FeatureTable,
    lexicon: Lexicon,
    refit: Callable[[Data, Data], Vector],
    probabilities: Mapping[str, Vector],
    gap_days: int,
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
    probabilities
        Out-of-fold probability of each example by ``"model"`` and by ``"age and sex only"``.
    gap_days
        Days between the index day and the outcome window.
    """
    columns = {
        "patient id": _id_columns(data.patients),
        "place in the export": _places(cohort, data.patients),
        "day of the month and week": np.array(
            [[t.as_of.day, t.as_of.weekday()] for t in data.timelines], dtype=np.float64
        ),
        "resources after the index day": entries_after_index(data),
    }
    checks = [check_columns(name, x, data, seed) for name, x in columns.items()]
    after = float((columns["resources after the index day"] > 0).any(axis=1).mean())
    changed = float(features_that_change(cohort, table, lexicon))
    best_auroc, feature = _best_feature(data, table)
    shared = _share_with_same_notes(cohort, data, rows)
    model = probabilities["model"]
    auroc = math.nan
    if can_be_measured(data.outcome):
        auroc = float(roc_auc_score(data.outcome, model, sample_weight=data.weight))
    return [
        *checks,
        check("examples that hold any", "share that knows the future", after),
        _check_permuted_outcomes(data, rows, refit, seed),
        check(
            "features with the future cut off or made up",
            "index days whose features change",
            changed,
        ),
        check("single feature", "AUROC", best_auroc, subject=feature),
        check("the model itself", "AUROC out of fold", auroc),
        _check_gain(data, model, probabilities["age and sex only"], seed),
        check("same notes in training and test", "share of test patients", shared),
        *record_checks(cohort, data, table, gap_days),
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
        remedies = "; ".join(dict.fromkeys(c.remedy for c in failed if c.remedy))
        raise ModelError(
            "E422",
            f"leakage was found ({figures}): {remedies}; then train again; "
            "--no-leakage-checks trains all the same, to look into it",
        )


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
    name, what = "permuted outcomes", "AUROC on test"
    if not can_be_measured(test.outcome):
        return check(name, what, math.nan)
    score = refit(permuted.take(rows["train"]), test)

    def measure(drawn: Rows) -> Mapping[str, float]:
        y = test.outcome[drawn]
        return {"auroc": float(roc_auc_score(y, score[drawn])) if has_both_outcomes(y) else np.nan}

    auroc = with_intervals(measure, test.patients, RESAMPLES, seed)["auroc"]
    return check(name, what, auroc.value, auroc.low)


def _check_gain(data: Data, model: Vector, age_and_sex: Vector, seed: int) -> LeakageCheck:
    """AUROC of the model less that of age and sex; ``low`` is one standard error below it.

    One, not two: a small cohort cannot prove that its gain is too great, and it is there that
    known patients pass for new ones.
    """

    def measure(rows: Rows) -> Mapping[str, float]:
        y, w = data.outcome[rows], data.weight[rows]
        if not has_both_outcomes(y):
            return {"gain": math.nan}
        auroc = (float(roc_auc_score(y, p[rows], sample_weight=w)) for p in (model, age_and_sex))
        return {"gain": next(auroc) - next(auroc)}

    gain = with_intervals(measure, data.patients, RESAMPLES, seed)["gain"]
    standard_error = (gain.high - gain.low) / 3.92  # of a 95% interval
    what = "AUROC above it, out of fold"
    return check("gain over age and sex", what, gain.value, gain.value - standard_error)


def _places(cohort: Cohort, patients: PatientIds) -> Matrix:
    """Place of each example's patient in the export, else in the order of reading."""
    order = {patient: place for place, patient in enumerate(dict.fromkeys(patients.tolist()))}
    places = cohort.places or order
    return np.array([[places.get(p, -1)] for p in patients.tolist()], dtype=np.float64)


def _best_feature(data: Data, table: FeatureTable) -> tuple[float, str]:
    """Highest AUROC of a single feature, either way round, and the feature's name."""
    best, name = 0.5, "none"
    if can_be_measured(data.outcome):
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
