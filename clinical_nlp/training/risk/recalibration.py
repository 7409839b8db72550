"""Fits a trained model to another place: its weights stay, its probabilities move.

Where heart failure is more or less common than among the patients a model was trained on,
it still ranks, but its probabilities are off. Moving the intercept mends the level; a slope
also mends probabilities that are too extreme (Janssen et al., J Clin Epidemiol 2008;61:76;
Van Calster et al., BMC Med 2019;17:230).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clinical_nlp.errors import UsageError
from clinical_nlp.records import ModelReference
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.model import RiskModel
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.risk.model_spec import Line
from clinical_nlp.training.risk.cohort import part_of
from clinical_nlp.training.risk.dataset import Cohort, by_part
from clinical_nlp.training.risk.measures import Measure, Vector, assess, logistic_line, logit
from clinical_nlp.training.risk.recipe import Recipe
from clinical_nlp.training.risk.results import clinical_use, plain, predictions

#: Fewest outcomes to move the intercept by, and to fit a slope too: a slope from a handful of
#: outcomes is noise (Collins et al., Stat Med 2016;35:214 ask for 100 to judge calibration).
MIN_OUTCOMES, MIN_FOR_SLOPE = 10, 100


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """A model that was moved, and what says how well.

    Parameters
    ----------
    line
        Slope and intercept put on the model's former log-odds.
    before, after
        Measures on local patients that the line was not fitted on; empty where it was set
        from a prevalence alone.
    metrics, predictions
        As the folder keeps them.
    """

    parts: ModelArtifacts
    line: Line
    before: Mapping[str, Measure]
    after: Mapping[str, Measure]
    metrics: Mapping[str, Any]
    predictions: Mapping[str, Any]


def to_prevalence(
    parts: ModelArtifacts,
    prevalence: float,
    metrics: Mapping[str, Any],
    predicted: Mapping[str, Any],
) -> Recalibrated:
    """Move the intercept from the training prevalence to a local one.

    The prior shift of Saerens et al. (Neural Comput 2002;14:21): right where patients of the
    same features run the same relative risk in both places.

    Parameters
    ----------
    prevalence
        Local share of first diagnoses in the horizon among those eligible, 0..1.
    metrics, predicted
        The model's own; its probabilities are moved in both.

    Raises
    ------
    UsageError
        E124: not a share between 0 and 1.
    """
    if not 0 < prevalence < 1:
        raise UsageError(
            "E124", "the local prevalence must lie between 0 and 100%: give --prevalence 1.3"
        )
    line = (1.0, _log_odds(prevalence) - _log_odds(parts.spec.prevalence))
    columns = dict(predicted["columns"])
    moved = _moved(np.array(columns["probability"]), line)
    columns["probability"] = [round(p, 6) for p in moved.tolist()]
    measured = assess(
        np.array(columns["outcome"]), moved, np.array(columns["weight"]), columns["patient"], 200, 0
    )
    told = {
        **metrics,
        "test": {**metrics["test"], "model": plain(measured)},
        "recalibration": {"slope": line[0], "intercept": line[1], "prevalence": prevalence},
    }
    parts = _with_line(parts, line)
    return Recalibrated(parts, line, {}, {}, told, {**predicted, "columns": columns})


def to_cohort(
    parts: ModelArtifacts,
    cohort: Cohort,
    recipe: Recipe,
    metrics: Mapping[str, Any],
    free_slope: bool = False,
) -> Recalibrated:
    """Fit intercept, and slope where asked, on local patients; judge on others of them.

    Raises
    ------
    UsageError
        E125: too few outcomes.
    """
    table = load_features()
    data = cohort.data(table)
    rows = by_part(data.patients.tolist(), lambda patient: part_of(patient, recipe.split))
    fitted = data.take(np.concatenate([rows["train"], rows["calibration"]]))
    test = data.take(rows["test"])
    needed = MIN_FOR_SLOPE if free_slope else MIN_OUTCOMES
    if fitted.outcome.sum() < needed or not 0 < test.outcome.sum() < len(test):
        raise UsageError(
            "E125",
            f"{int(fitted.outcome.sum())} outcomes to recalibrate on and "
            f"{int(test.outcome.sum())} to judge by are too few (at least {needed} and 1): "
            "give more patients, or the local prevalence with --prevalence",
        )
    model = RiskModel(parts, ModelReference("", "", "", ""))
    z = logit(model.probabilities(fitted.features, fitted.timelines))
    shift, slope = logistic_line(fitted.outcome, z, fitted.weight, free_slope)
    line = (slope, shift)
    old = model.probabilities(test.features, test.timelines)
    new = _moved(old, line)
    before, after = (
        assess(test.outcome, p, test.weight, test.patients, recipe.fit.bootstrap, recipe.fit.seed)
        for p in (old, new)
    )
    languages = [cohort.examples[i].language for i in rows["test"]]
    who = np.full(len(test), float(np.average(fitted.outcome, weights=fitted.weight)))
    local = clinical_use(
        test, languages, {"model": new, "age and sex only": who}, table, recipe.fit
    )
    told = {
        **metrics,
        "test": plain({"model": after}),
        **plain(local),
        "data_fingerprint": cohort.fingerprint,
        "recalibration": plain(
            {
                "slope": slope,
                "intercept": shift,
                "outcomes": int(fitted.outcome.sum()),
                "before": before,
                "after": after,
            }
        ),
    }
    moved = _with_line(parts, line)
    kept = predictions(test, languages, new, table, recipe.split.salt)
    return Recalibrated(moved, line, before, after, told, kept)


def card_section(result: Recalibrated, described: str) -> str:
    """What the card adds about a recalibration, in Markdown."""
    slope, shift = result.line
    lines = [
        "## Recalibrated",
        "",
        f"To {described}: slope {slope:.3f} and intercept {shift:+.3f} on the log-odds. Weights "
        "and ranking are those of the training run, and so is every other figure of this card.",
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


def _with_line(parts: ModelArtifacts, line: Line) -> ModelArtifacts:
    """Put a line after whatever recalibration there was."""
    slope, shift = parts.spec.recalibration
    both = (line[0] * slope, line[0] * shift + line[1])
    return replace(parts, spec=replace(parts.spec, recalibration=both))


def _moved(probability: Vector, line: Line) -> Vector:
    slope, shift = line
    moved: Vector = 1 / (1 + np.exp(-(slope * logit(probability) + shift)))
    return moved


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))
