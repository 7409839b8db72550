"""Trains a risk model from a recipe: select, fit, calibrate, evaluate, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.model import RiskModel
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.training.risk.assembly import assemble
from clinical_nlp.training.risk.checks import LeakageCheck
from clinical_nlp.training.risk.cross_fitting import fit_all, out_of_fold_by_name
from clinical_nlp.training.risk.dataset import Cohort
from clinical_nlp.training.risk.lead_time import lead_by_topic, lead_times
from clinical_nlp.training.risk.leakage import require_no_leakage, run_leakage_checks
from clinical_nlp.training.risk.measures import assess
from clinical_nlp.training.risk.model_selection import select_family
from clinical_nlp.training.risk.predictions import unlinkable_predictions
from clinical_nlp.training.risk.published import published_scores
from clinical_nlp.training.risk.recipe import Recipe
from clinical_nlp.training.risk.results import (
    clinical_use,
    coefficients,
    cohort_report,
    selection_report,
    to_plain,
)
from clinical_nlp.training.risk.split import CohortSplit, split_cohort
from clinical_nlp.training.risk.temporal import temporal_check


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A fitted model with everything that its card and its MLflow run hold.

    Parameters
    ----------
    parts
        What is shipped.
    metrics
        Everything measured, as plain values (``metrics.json``).
    predictions
        Out-of-fold predictions of every example (``predictions.json``).
    data_fingerprint
        Of the cohort.
    """

    recipe: Recipe
    parts: ModelArtifacts
    metrics: Mapping[str, Any]
    predictions: Mapping[str, Any]
    data_fingerprint: str


def train(
    cohort: Cohort,
    recipe: Recipe,
    pipeline: str,
    description: str,
    leakage_checks: bool = True,
    report_step: Callable[[str], None] = lambda step: None,
    baseline_models: Mapping[str, RiskModel] | None = None,
) -> TrainedModel:
    """Train on a cohort.

    Parameters
    ----------
    pipeline
        Fingerprint of the spaCy pipeline that read the notes.
    description
        Who the patients are, in words.
    leakage_checks
        Whether to look for leakage.
    report_step
        Takes the name of each step as it begins.
    baseline_models
        Models to compare with, by digest; they also score these patients.

    Raises
    ------
    ModelError
        E420: a part of the split has too few outcomes to train or to test on. E422: a leakage
        check failed.
    """
    table, lexicon, fit = load_features(), load_lexicon(), recipe.fit
    split = split_cohort(cohort, table, recipe)
    data = split.data
    report_step("nested cross-validation")
    selection = select_family(data, table, fit)
    report_step("fitting and calibrating")
    models = fit_all(selection, data, fit)
    report_step("measuring every patient by a model that has not seen the patient")
    probabilities = out_of_fold_by_name(models, selection.fold, data, table)
    people = data.weight, data.patients, fit.bootstrap, fit.seed
    measures = {name: assess(data.outcome, p, *people) for name, p in probabilities.items()}
    final = models.selected.final
    checks = list[LeakageCheck]()
    if leakage_checks:
        report_step("leakage checks")
        refit, gap = final.refit_log_odds, recipe.cohort.gap_days
        checks = run_leakage_checks(
            cohort, data, split.rows, table, lexicon, refit, probabilities, gap, fit.seed
        )
        require_no_leakage(checks)
    report_step("clinical use, lead time, published scores, later years")
    probability = probabilities["model"]
    metrics = {
        **cohort_report(cohort, split, recipe, pipeline, description, table),
        **selection_report(selection, models, data),
        "test": measures,
        **clinical_use(data, split.languages, probabilities, table, fit),
        "baselines": published_scores(
            data, probabilities, table, lexicon.concepts, fit.bootstrap, fit.seed
        ),
        "lead_by_topic": lead_by_topic(cohort.cases, table, recipe.cohort.gap_days),
        "lead_time": lead_times(cohort, data, models, table, recipe),
        "temporal": temporal_check(data, split.rows, recipe, final),
        "audit": [{**asdict(check), "passed": check.passed} for check in checks],
    }
    report_step("bootstrap members, for the interval of each estimate")
    spec = _model_spec(recipe, description, pipeline, split)
    parts, optimism = assemble(models, data, table, fit, spec)
    weights = coefficients(parts, table)
    metrics |= {"weights": weights, "calibration_line": final.line, "optimism": optimism}
    scored = {
        digest: baseline.probabilities(data.features, data.timelines)
        for digest, baseline in (baseline_models or {}).items()
    }
    predictions = unlinkable_predictions(data, split.languages, probability, table, scored)
    return TrainedModel(recipe, parts, to_plain(metrics), predictions, cohort.fingerprint)


def _model_spec(
    recipe: Recipe, description: str, pipeline: str, split: CohortSplit
) -> dict[str, Any]:
    """What the model was trained for and on, as its :class:`ModelSpec` holds it."""
    return {
        "horizon_days": recipe.cohort.horizon_days,
        "gap_days": recipe.cohort.gap_days,
        "min_age": recipe.cohort.min_age,
        "cohort": description,
        "pipeline": pipeline,
        "prevalence": float(np.average(split.data.outcome, weights=split.data.weight)),
        "bounds": split.bounds,
    }
