"""What the fitted models predict for the test patients, and how well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.timeline import Origin
from clinical_nlp.training.risk.arrays import Vector
from clinical_nlp.training.risk.calibrated_model import (
    CalibratedModel,
    FittedModels,
    fit_calibrated,
)
from clinical_nlp.training.risk.measures import Measure, assess
from clinical_nlp.training.risk.recipe import FitRecipe
from clinical_nlp.training.risk.split import CohortSplit


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Probabilities of the test examples and their measures, by model.

    ``"model"`` is the selected one; the others are the families beside it, the baseline, and
    the selected family on one source of data alone.
    """

    probabilities: Mapping[str, Vector]
    measures: Mapping[str, Mapping[str, Measure]]


def evaluate(
    models: FittedModels, split: CohortSplit, table: FeatureTable, recipe: FitRecipe
) -> Evaluation:
    """Measure every model on the test patients."""
    test, selected = split.test, models.selected
    probabilities = {"model": selected.probability(test)}
    probabilities |= {
        name: model.probability(test)
        for name, model in models.by_name.items()
        if model is not selected
    }
    probabilities |= single_source_ablations(selected, split, table)
    measures = {
        name: assess(test.outcome, p, test.weight, test.patients, recipe.bootstrap, recipe.seed)
        for name, p in probabilities.items()
    }
    return Evaluation(probabilities, measures)


def single_source_ablations(
    selected: CalibratedModel, split: CohortSplit, table: FeatureTable
) -> dict[str, Vector]:
    """Test probabilities of the selected family, refitted on each source of data alone."""
    names = {Origin.STRUCTURED: "structured data only", Origin.NOTE: "notes only"}
    probabilities = {}
    for origin, name in names.items():
        train, calibration, test = (
            part.from_origin(origin, table) for part in (split.train, split.calibration, split.test)
        )
        model = fit_calibrated(selected.candidate, selected.setting, train, calibration)
        probabilities[name] = model.probability(test)
    return probabilities
