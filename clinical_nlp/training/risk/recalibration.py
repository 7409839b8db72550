"""Recalibrates a trained model for another place: its weights stay, its probabilities move.

Where heart failure is more or less common than among the training patients, a model still
ranks, but its probabilities are off. Moving the intercept corrects the level; a slope also
corrects probabilities that are too extreme (Janssen et al., J Clin Epidemiol 2008;61:76;
Van Calster et al., BMC Med 2019;17:230).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq

from clinical_nlp.errors import UsageError
from clinical_nlp.records import ModelReference
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.model import RiskModel
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.risk.model_spec import Line
from clinical_nlp.training.risk.arrays import Vector, inverse_logit, logit
from clinical_nlp.training.risk.calibration import fit_calibration_line
from clinical_nlp.training.risk.dataset import Cohort
from clinical_nlp.training.risk.measures import Measure, assess, has_both_outcomes
from clinical_nlp.training.risk.predictions import unlinkable_predictions
from clinical_nlp.training.risk.recipe import Recipe
from clinical_nlp.training.risk.results import clinical_use, to_plain
from clinical_nlp.training.risk.split import rows_by_part

#: Fewest outcomes to move the intercept by, and to fit a slope too: a slope from a handful of
#: outcomes is noise (Collins et al., Stat Med 2016;35:214 ask for 100 to assess calibration).
MIN_OUTCOMES, MIN_FOR_SLOPE = 10, 100


@dataclass(frozen=True, slots=True)
class RecalibratedModel:
    """A recalibrated model and what it measures.

    Parameters
    ----------
    line
        Slope and intercept applied to the model's former log-odds.
    before, after
        Measures on local patients that the line was not fitted on; empty where it was set
        from a prevalence alone.
    metrics, predictions
        Content of ``metrics.json`` and ``predictions.json``.
    """

    parts: ModelArtifacts
    line: Line
    before: Mapping[str, Measure]
    after: Mapping[str, Measure]
    metrics: Mapping[str, Any]
    predictions: Mapping[str, Any]


def recalibrate_to_prevalence(
    parts: ModelArtifacts,
    prevalence: float,
    metrics: Mapping[str, Any],
    predictions: Mapping[str, Any],
    digest: str = "",
    local: Vector | None = None,
) -> RecalibratedModel:
    """Move the intercept so that the mean probability is the local prevalence.

    Right where patients of the same features run the same relative risk in both places.

    Parameters
    ----------
    prevalence
        Local share of first diagnoses in the horizon among those eligible, 0..1.
    metrics, predictions, digest
        The model's own; its probabilities are moved in both, and kept under its digest, so
        that the two can be compared row by row.
    local
        The model's probabilities of the patients whose mean is to be the prevalence; those of
        ``predictions``, weighted, where ``None``.

    Raises
    ------
    UsageError
        E124: not a share between 0 and 1. E125: there is nobody whose mean could be moved.
    """
    if not 0 < prevalence < 1:
        raise UsageError(
            "E124", "the local prevalence must lie between 0 and 100%: give --prevalence 1.3"
        )
    columns = dict(predictions["columns"])
    old = np.array(columns["probability"], dtype=np.float64)
    outcome, weight = np.array(columns["outcome"]), np.array(columns["weight"])
    people, weights = (old, weight) if local is None else (local, np.ones(len(local)))
    if not len(people):
        raise UsageError(
            "E125",
            "nobody of the export has an estimate whose mean could be moved: give an export with "
            "patients at risk, or --prevalence without one",
        )
    line = (1.0, intercept_for_mean(people, weights, prevalence))
    probability = _apply_line(old, line)
    columns["probability"] = [round(p, 6) for p in probability.tolist()]
    measures = assess(outcome, probability, weight, columns["patient"], 200, 0)
    updated = {
        **metrics,
        "test": {**metrics["test"], "model": to_plain(measures)},
        "recalibration": {
            "slope": line[0],
            "intercept": line[1],
            "prevalence": prevalence,
            "mean_before": float(np.average(people, weights=weights)),
            "patients": None if local is None else len(local),
        },
    }
    rivals = dict(predictions.get("rivals") or {})
    moved = {**predictions, "columns": columns}
    if digest:
        moved["rivals"] = {**rivals, digest: old.tolist()}
    return RecalibratedModel(_add_line(parts, line), line, {}, {}, updated, moved)


def intercept_for_mean(probability: Vector, weight: Vector, mean: float) -> float:
    """Return what to add to the log-odds so that the weighted mean probability is ``mean``.

    Adding the difference of two prevalences' log-odds, as is often done, gives that mean only
    where everybody runs the same risk.
    """
    log_odds = logit(probability)

    def excess(intercept: float) -> float:
        return float(np.average(inverse_logit(log_odds + intercept), weights=weight)) - mean

    return float(brentq(excess, -60.0, 60.0, xtol=1e-10))


def recalibrate_on_cohort(
    parts: ModelArtifacts,
    cohort: Cohort,
    recipe: Recipe,
    metrics: Mapping[str, Any],
    free_slope: bool = False,
    digest: str = "",
) -> RecalibratedModel:
    """Fit intercept, and slope where asked, on some local patients; measure on the others.

    Parameters
    ----------
    digest
        Of the model, under which its former probabilities are kept for comparison.

    Raises
    ------
    UsageError
        E125: too few outcomes.
    """
    table, draws = load_features(), (recipe.fit.bootstrap, recipe.fit.seed)
    data = cohort.data(table)
    rows = rows_by_part(data.patients.tolist(), recipe.split)
    local = data.take(np.concatenate([rows["train"], rows["calibration"]]))
    test = data.take(rows["test"])
    outcomes, required = int(local.outcome.sum()), MIN_FOR_SLOPE if free_slope else MIN_OUTCOMES
    if outcomes < required or not has_both_outcomes(test.outcome):
        raise UsageError(
            "E125",
            f"{outcomes} outcomes to recalibrate on and "
            f"{int(test.outcome.sum())} to judge by are too few (at least {required} and 1): "
            "give more patients, or the local prevalence with --prevalence",
        )
    model = RiskModel(parts, ModelReference("", "", "", ""))
    z = logit(model.probabilities(local.features, local.timelines))
    intercept, slope = fit_calibration_line(local.outcome, z, local.weight, free_slope)
    line = (slope, intercept)
    old = model.probabilities(test.features, test.timelines)
    new = _apply_line(old, line)
    before, after = (
        assess(test.outcome, p, test.weight, test.patients, *draws) for p in (old, new)
    )
    languages = [cohort.examples[i].language for i in rows["test"]]
    constant = np.full(len(test), float(np.average(local.outcome, weights=local.weight)))
    probabilities = {"model": new, "age and sex only": constant}
    updated = {
        **metrics,
        "test": to_plain({"model": after}),
        **to_plain(clinical_use(test, languages, probabilities, table, recipe.fit)),
        "data_fingerprint": cohort.fingerprint,
        "recalibration": to_plain(
            {
                "slope": slope,
                "intercept": intercept,
                "outcomes": outcomes,
                "before": before,
                "after": after,
            }
        ),
    }
    predictions = unlinkable_predictions(
        test, languages, new, table, {digest: old} if digest else None
    )
    return RecalibratedModel(_add_line(parts, line), line, before, after, updated, predictions)


def recalibration_markdown(result: RecalibratedModel, description: str) -> str:
    """Return what the card adds about a recalibration, in Markdown."""
    slope, intercept = result.line
    lines = [
        "## Recalibrated",
        "",
        f"To {description}: slope {slope:.3f} and intercept {intercept:+.3f} on the log-odds. "
        "Weights and ranking are those of the training run, and so is every other figure of this "
        "card.",
    ]
    if result.before:
        lines += [
            "",
            "On local patients that the line was not fitted on:",
            "",
            "| | AUROC | calibration slope | calibration intercept | ECE |",
            "| --- | --- | --- | --- | --- |",
        ]
        for name, m in (("before", result.before), ("after", result.after)):
            cells = (m["auroc"], m["calibration_slope"], m["calibration_intercept"], m["ece"])
            lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _add_line(parts: ModelArtifacts, line: Line) -> ModelArtifacts:
    """Apply a line after the recalibration that a model may have already."""
    slope, intercept = parts.spec.recalibration
    both = (line[0] * slope, line[0] * intercept + line[1])
    return replace(parts, spec=replace(parts.spec, recalibration=both))


def _apply_line(probability: Vector, line: Line) -> Vector:
    slope, intercept = line
    return inverse_logit(slope * logit(probability) + intercept)
