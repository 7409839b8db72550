"""Trains a risk model from a recipe: cohort, fit, calibration, test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from spacy.language import Language

from clinical_nlp.errors import ModelError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.pipeline.assembly import fingerprint
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.entries import Origin
from clinical_nlp.risk.spec import ModelSpec
from clinical_nlp.risk.topics import FeatureTable, load_features
from clinical_nlp.training.bounded import Prior
from clinical_nlp.training.cohort import part_of
from clinical_nlp.training.dataset import Cohort, Matrix, by_part, gather
from clinical_nlp.training.fit import (
    Choice,
    calibrate,
    choose_strength,
    fit,
    reference_patient,
    simplest,
)
from clinical_nlp.training.measures import (
    Alerts,
    Labels,
    Measure,
    Vector,
    alerts,
    assess,
    calibration_curve,
)
from clinical_nlp.training.recipe import Recipe
from clinical_nlp.training.simulation import load_parameters, simulate_patients

SIMULATED = "patients simulated by this package; not for clinical use"


@dataclass(frozen=True, slots=True)
class PartCount:
    """Size of one part of the split; ``share`` is that of the outcome, weighted."""

    patients: int
    examples: int
    outcomes: int
    share: float


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A fitted model with everything its card and its MLflow run tell.

    Parameters
    ----------
    classifier, spec
        What is shipped.
    choices, chosen
        Cross-validation of the regularisation, and the pick.
    platt
        Slope and intercept of the calibration.
    parts, left_out, cohort
        The cohort's account.
    measures
        By model (``"model"``, baselines and halves of the record), on the test patients.
    curve
        Calibration on the test patients: predicted, observed, weight.
    alerts
        At each published band's lower bound.
    weights
        Standardised coefficients by feature, for the card.
    """

    recipe: Recipe
    classifier: Pipeline
    spec: ModelSpec
    choices: tuple[Choice, ...]
    chosen: Choice
    platt: tuple[float, float]
    parts: Mapping[str, PartCount]
    left_out: Mapping[str, int]
    patients: int
    read: int
    notes: int
    data_fingerprint: str
    measures: Mapping[str, Mapping[str, Measure]]
    curve: list[tuple[float, float, float]]
    alerts: list[Alerts]
    weights: Mapping[str, float]


def train_on_simulation(
    recipe: Recipe, nlp: Language, progress: Callable[[int], None] = lambda patients: None
) -> TrainedModel:
    """Simulate the recipe's cohort and train on it.

    The simulation runs to its own end, a year past the day that demonstration exports
    show, so that this cohort's last outcomes are known; its seed is the recipe's own.
    """
    parameters = load_parameters()
    days = (parameters.start, parameters.end)
    whole = parameters.as_of(parameters.end)
    patients = simulate_patients(
        recipe.cohort.simulated_patients, recipe.cohort.simulation_seed, whole
    )
    records = (patient.record for patient in patients)
    cohort = gather(records, nlp, load_lexicon(), days, recipe.cohort, progress)
    return train(cohort, recipe, fingerprint(nlp), SIMULATED)


def train(cohort: Cohort, recipe: Recipe, pipeline: str, described: str) -> TrainedModel:
    """Fit, calibrate and test on a cohort.

    Parameters
    ----------
    pipeline
        Fingerprint of the spaCy pipeline that read the notes.
    described
        Who the patients are, in words.

    Raises
    ------
    ModelError
        E420: a part of the split has too few outcomes to learn or to judge from.
    """
    table = load_features()
    outcome, weight, patients = cohort.outcome(), cohort.weights(), cohort.patient_ids()
    rows = by_part(cohort, lambda patient: part_of(patient, recipe.split))
    parts = {name: _count(outcome, weight, patients, numbers) for name, numbers in rows.items()}
    _require_outcomes(parts, recipe)

    features, prior = cohort.features(table), Prior.of(table)
    train_rows, held_out, test = rows["train"], rows["calibration"], rows["test"]
    choices = choose_strength(
        features[train_rows],
        outcome[train_rows],
        weight[train_rows],
        [patients[i] for i in train_rows],
        prior,
        recipe.fit,
    )
    chosen = simplest(choices)

    def fitted(matrix: Matrix, prior: Prior) -> tuple[Pipeline, tuple[float, float]]:
        model = fit(
            matrix[train_rows],
            outcome[train_rows],
            weight[train_rows],
            chosen.strength,
            prior,
        )
        return model, calibrate(model, matrix[held_out], outcome[held_out], weight[held_out])

    model, platt = fitted(features, prior)
    predictions = {"model": model.predict_proba(features[test])[:, 1]}
    for name, (matrix, its_prior) in _comparisons(cohort, features, table).items():
        predictions[name] = fitted(matrix, its_prior)[0].predict_proba(matrix[test])[:, 1]

    test_patients = [patients[i] for i in test]
    measures = {
        name: assess(
            outcome[test], p, weight[test], test_patients, recipe.fit.bootstrap, recipe.fit.seed
        )
        for name, p in predictions.items()
    }
    probability = predictions["model"]
    return TrainedModel(
        recipe=recipe,
        classifier=model,
        spec=ModelSpec(
            features=table.names,
            table_digest=table.digest,
            reference=reference_patient(model, features[train_rows]),
            horizon_days=recipe.cohort.horizon_days,
            gap_days=recipe.cohort.gap_days,
            min_age=recipe.cohort.min_age,
            cohort=described,
            pipeline=pipeline,
        ),
        choices=tuple(choices),
        chosen=chosen,
        platt=platt,
        parts=parts,
        left_out=dict(sorted(cohort.left_out.items())),
        patients=cohort.patients,
        read=cohort.read,
        notes=cohort.notes,
        data_fingerprint=cohort.fingerprint,
        measures=measures,
        curve=calibration_curve(outcome[test], probability, weight[test]),
        alerts=[
            alerts(outcome[test], probability, weight[test], band.lower) for band in load_bands()
        ][1:],
        weights=dict(zip(table.names, model[-1].coef_[0].tolist(), strict=True)),
    )


def _comparisons(
    cohort: Cohort, features: Matrix, table: FeatureTable
) -> dict[str, tuple[Matrix, Prior]]:
    """Feature matrices of what stands beside the model: who, and each half of the record."""
    who = [table.names.index("age"), table.names.index("male")]
    prior = Prior.of(table)
    return {
        "age and sex only": (features[:, who], prior.columns(who)),
        "structured data only": (cohort.features_of(Origin.STRUCTURED, table), prior),
        "notes only": (cohort.features_of(Origin.NOTE, table), prior),
    }


def _count(
    outcome: Labels, weight: Vector, patients: list[str], rows: np.ndarray[Any, Any]
) -> PartCount:
    share = float(np.average(outcome[rows], weights=weight[rows])) if len(rows) else 0.0
    people = len({patients[i] for i in rows})
    return PartCount(people, len(rows), int(outcome[rows].sum()), share)


def _require_outcomes(parts: Mapping[str, PartCount], recipe: Recipe) -> None:
    for name, part in parts.items():
        if min(part.outcomes, part.examples - part.outcomes) < recipe.fit.folds:
            raise ModelError(
                "E420",
                f"the {name} part has {part.outcomes} outcomes in {part.examples} examples, too "
                "few: train on more patients, or over a longer record",
            )
