"""How a model does on a cohort of other origin than the one it was fitted on.

Beside it stands what the other cohort's own patients could do without it: age and sex refitted
there, out of fold. A model that does not beat those is not worth installing, however good it
was at home. Recalibration is measured likewise: the intercept comes from some folds of the
patients, the figure from the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.metrics import roc_auc_score

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import bounded
from clinical_nlp.risk.timeline import Origin
from clinical_nlp.training.risk.arrays import Rows, Vector, inverse_logit, logit
from clinical_nlp.training.risk.calibration import calibration_intercept_slope, fit_calibration_line
from clinical_nlp.training.risk.candidates import (
    Candidate,
    LogisticCandidate,
    Setting,
    age_and_sex_baseline,
)
from clinical_nlp.training.risk.cross_fitting import fit_cross_fitted
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import Measure, has_both_outcomes, with_intervals
from clinical_nlp.training.risk.model_selection import patient_folds
from clinical_nlp.training.risk.recipe import FitRecipe
from clinical_nlp.training.risk.subgroups import age_bands, group_keys, subgroups


@dataclass(frozen=True, slots=True)
class ElsewhereResult:
    """One model on the other cohort.

    Parameters
    ----------
    name
        What the model is, and where it was fitted.
    auroc
        There, weighted.
    gain
        AUROC beyond age and sex refitted there, paired by patient.
    observed_expected
        Observed over predicted outcomes: 1 is ideal, more means an underestimated risk.
    slope
        Calibration slope.
    """

    name: str
    auroc: Measure
    gain: Measure
    observed_expected: Measure
    slope: Measure


@dataclass(frozen=True, slots=True)
class ElsewhereTables:
    """What was measured on the other cohort.

    Parameters
    ----------
    models
        Age and sex refitted there, first; then the models from here.
    groups
        Groups of patients under the recalibrated model: see :func:`subgroups`.
    bands
        AUROC within bands of age: see :func:`age_bands`.
    """

    models: tuple[ElsewhereResult, ...]
    groups: tuple[Mapping[str, Any], ...]
    bands: tuple[Mapping[str, Any], ...]


def evaluate_elsewhere(
    here: Data, there: Data, bounds: tuple[tuple[float, float], ...], table: FeatureTable,
    recipe: FitRecipe,
) -> ElsewhereTables:  # fmt: skip
    """Fit on one cohort, test on another.

    Parameters
    ----------
    here, there
        Examples to fit on, and those of the other cohort.
    bounds
        Range of each feature in ``here``.

    """
    there = Data(
        bounded(there.features, bounds), there.timelines, there.outcome, there.weight,
        there.patients,
    )  # fmt: skip
    full = LogisticCandidate("logistic", table, recipe.strengths)
    fitted = fit_cross_fitted(full, here, recipe)
    probability = fitted.final.probability(there)
    probabilities = {
        "age and sex, fitted here": fit_cross_fitted(
            age_and_sex_baseline(table, recipe), here, recipe
        ).final.probability(there),
        "structured data only": _from_one_source(
            Origin.STRUCTURED, full, fitted.setting, here, there, table, recipe
        ),
        "notes only": _from_one_source(
            Origin.NOTE, full, fitted.setting, here, there, table, recipe
        ),
        "the model": probability,
        "the model, recalibrated there": recalibrated_out_of_fold(there, probability, recipe),
        "all features, fitted there": fit_cross_fitted(full, there, recipe).out_of_fold,
    }  # fmt: skip
    baseline = fit_cross_fitted(age_and_sex_baseline(table, recipe), there, recipe).out_of_fold
    results = [_result("age and sex, fitted there", baseline, baseline, there, recipe)]
    results += [_result(name, p, baseline, there, recipe) for name, p in probabilities.items()]
    keys = group_keys(there.timelines, [""] * len(there), table)
    keys.pop("language")
    groups = subgroups(
        keys, there.outcome, probabilities["the model, recalibrated there"], there.weight,
        there.patients, 0.03, recipe.bootstrap, recipe.seed,
    )  # fmt: skip
    bands = age_bands(
        {"age and sex, fitted there": logit(baseline), "the model": logit(probability)},
        [timeline.age or 0 for timeline in there.timelines],
        there.outcome, there.weight,
    )  # fmt: skip
    return ElsewhereTables(tuple(results), tuple(groups), tuple(bands))


def recalibrated_out_of_fold(data: Data, probability: Vector, recipe: FitRecipe) -> Vector:
    """Move the intercept to a cohort's own level, each fold by the patients of the others."""
    result = probability.copy()
    for others, held_out in patient_folds(data, recipe.folds, recipe.seed):
        x = logit(probability)
        intercept, slope = fit_calibration_line(
            data.outcome[others], x[others], data.weight[others], free_slope=False
        )
        result[held_out] = inverse_logit(slope * x[held_out] + intercept)
    return result


def _from_one_source(
    origin: Origin, candidate: Candidate, setting: Setting, here: Data, there: Data,
    table: FeatureTable, recipe: FitRecipe,
) -> Vector:  # fmt: skip
    """Probabilities there by the same family fitted here on notes, or on codes, alone."""
    model = fit_cross_fitted(candidate, here.from_origin(origin, table), recipe, setting)
    return model.final.probability(there.from_origin(origin, table))


def _result(
    name: str, probability: Vector, baseline: Vector, data: Data, recipe: FitRecipe
) -> ElsewhereResult:
    outcome, weight = data.outcome, data.weight

    def measure(rows: Rows) -> Mapping[str, float]:
        y, p, w = outcome[rows], probability[rows], weight[rows]
        if not has_both_outcomes(y):
            return {}
        auroc = float(roc_auc_score(y, p, sample_weight=w))
        return {
            "auroc": auroc,
            "gain": auroc - float(roc_auc_score(y, baseline[rows], sample_weight=w)),
            "observed_expected": float((w * y).sum() / (w * p).sum()),
            "slope": calibration_intercept_slope(y, p, w)[1],
        }

    measured = with_intervals(measure, data.patients, recipe.bootstrap, recipe.seed)
    return ElsewhereResult(name, **measured)


def elsewhere_markdown(tables: ElsewhereTables) -> Iterator[str]:
    """Yield the lines of three tables: models by AUROC, worst first; bands of age; groups."""
    yield "| model | AUROC | beyond age and sex fitted there | observed / expected | slope |"
    yield "| --- | --- | --- | --- | --- |"
    for row in sorted(tables.models, key=lambda r: r.auroc.value):
        cells = (row.auroc, row.gain, row.observed_expected, row.slope)
        yield f"| {row.name} | " + " | ".join(str(cell) for cell in cells) + " |"
    yield ""
    yield "| age | outcomes | age and sex, fitted there | the model |"
    yield "| --- | ---: | ---: | ---: |"
    for band in tables.bands:
        values = " | ".join(f"{value:.3f}" for value in band["auroc"].values())
        yield f"| {band['level']} | {band['outcomes']} | {values} |"
    yield ""
    yield "| group | patients | outcomes | AUROC | observed / expected |"
    yield "| --- | ---: | ---: | --- | --- |"
    for group in tables.groups:
        auroc, ratio = (str(group[key] or "–") for key in ("auroc", "observed_expected"))
        name = f"{str(group['group']).replace('_', ' ')}: {group['level']}"
        yield f"| {name} | {group['patients']} | {group['outcomes']} | {auroc} | {ratio} |"
