"""Makes the parts that ship out of a fitted, calibrated candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.model_artifacts import ENSEMBLE, NETWORK, ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.ensemble import boosted_members, logistic_members
from clinical_nlp.training.risk.fit import reference_patient
from clinical_nlp.training.risk.network import weights_of
from clinical_nlp.training.risk.platt import Calibrated
from clinical_nlp.training.risk.recipe import FitRecipe
from clinical_nlp.training.risk.sign_constrained import Prior


def assemble(
    chosen: Calibrated,
    learnt: Data,
    held: Data,
    table: FeatureTable,
    recipe: FitRecipe,
    told: Mapping[str, Any],
) -> ModelArtifacts:
    """Put classifier, bootstrap members and spec together.

    Parameters
    ----------
    learnt, held
        Examples that the candidate was fitted and calibrated on.
    told
        Fields of the spec that the cohort decides.
    """
    family = chosen.candidate.name
    ages = [timeline.age or 0 for timeline in learnt.timelines]
    fields: dict[str, Any] = {
        **told,
        "features": table.names,
        "table_digest": table.digest,
        "reference": reference_patient(learnt.features),
        "family": family,
        "calibration": chosen.line,
        "max_age": max(ages),
    }
    if family == "sequence":
        fields["network"] = chosen.model.shape
        tensors = weights_of(chosen.model.network, NETWORK)
        return ModelArtifacts(None, ModelSpec(**fields), tensors)
    spec = ModelSpec(**fields)
    if family == "boosting":
        members = boosted_members(
            chosen.candidate,  # type: ignore[arg-type]  # the family's own
            learnt,
            chosen.setting,
            recipe.members,
            recipe.seed,
        )
        return ModelArtifacts([chosen.model, *members], spec)
    ensemble = logistic_members(
        chosen.model,
        learnt,
        held,
        chosen.setting["strength"],
        Prior.of(table),
        recipe.members,
        recipe.seed,
    )
    return ModelArtifacts(chosen.model, spec, {ENSEMBLE: ensemble})
