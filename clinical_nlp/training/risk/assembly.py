"""Assembles the parts that ship from a fitted, calibrated model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.model_artifacts import ENSEMBLE, NETWORK, ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec
from clinical_nlp.training.risk.calibrated_model import CalibratedModel
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.ensemble import boosted_members, logistic_members
from clinical_nlp.training.risk.logistic import reference_patient
from clinical_nlp.training.risk.network import weights_of
from clinical_nlp.training.risk.recipe import FitRecipe
from clinical_nlp.training.risk.sign_constrained import Prior


def assemble(
    selected: CalibratedModel,
    train: Data,
    calibration: Data,
    table: FeatureTable,
    recipe: FitRecipe,
    cohort_fields: Mapping[str, Any],
) -> ModelArtifacts:
    """Put classifier, bootstrap members and spec together.

    Parameters
    ----------
    train, calibration
        Examples that the model was fitted and calibrated on.
    cohort_fields
        Fields of the spec that the cohort decides.
    """
    model, setting = selected.model, selected.setting
    fields: dict[str, Any] = {
        **cohort_fields,
        "features": table.names,
        "table_digest": table.digest,
        "reference": reference_patient(train.features),
        "family": selected.candidate.name,
        "calibration": selected.line,
        "max_age": max(timeline.age or 0 for timeline in train.timelines),
    }
    members, seed = recipe.members, recipe.seed
    if fields["family"] == "sequence":
        spec = ModelSpec(**fields, network=model.shape)
        return ModelArtifacts(None, spec, weights_of(model.network, NETWORK))
    if fields["family"] == "boosting":
        candidate: Any = selected.candidate
        trees = [model, *boosted_members(candidate, train, setting, members, seed)]
        return ModelArtifacts(trees, ModelSpec(**fields))
    ensemble = logistic_members(
        model, train, calibration, setting["strength"], Prior.of(table), members, seed
    )
    return ModelArtifacts(model, ModelSpec(**fields), {ENSEMBLE: ensemble})
