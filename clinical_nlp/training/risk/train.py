"""Trains a risk model from a recipe: cohort, choice of the model, calibration, test, audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from spacy.language import Language

from clinical_nlp.errors import ModelError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.pipeline.assembly import fingerprint
from clinical_nlp.records import PatientRecord
from clinical_nlp.risk.feature_table import FeatureTable, load_features
from clinical_nlp.risk.model import RiskModel
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.risk.timeline import Origin
from clinical_nlp.simulation import Parameters, load_parameters, simulate_patient
from clinical_nlp.training.risk.assembly import assemble
from clinical_nlp.training.risk.candidates import age_and_sex, candidates
from clinical_nlp.training.risk.cohort import part_of, sampling_weight
from clinical_nlp.training.risk.dataset import Cohort, Data, by_part, gather
from clinical_nlp.training.risk.fit import platt
from clinical_nlp.training.risk.lead_time_report import lead_times
from clinical_nlp.training.risk.leakage import LeakageCheck, audit, require_clean
from clinical_nlp.training.risk.measures import Vector, assess
from clinical_nlp.training.risk.nested import NestedCvResult, nested, winner
from clinical_nlp.training.risk.platt import Calibrated, calibrated
from clinical_nlp.training.risk.published import published_scores
from clinical_nlp.training.risk.recipe import Recipe
from clinical_nlp.training.risk.results import clinical_use, plain, predictions
from clinical_nlp.training.risk.subgroups import age_bands
from clinical_nlp.training.risk.temporal import temporal_check

SIMULATED = "patients simulated by this package; not for clinical use"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A fitted model with everything its card and its MLflow run tell.

    Parameters
    ----------
    parts
        What is shipped.
    metrics
        Everything measured, as plain values (``metrics.json``).
    predictions
        Out-of-sample predictions of the test patients (``predictions.json``).
    data_fingerprint
        Of the cohort.
    """

    recipe: Recipe
    parts: ModelArtifacts
    metrics: Mapping[str, Any]
    predictions: Mapping[str, Any]
    data_fingerprint: str


def train_on_simulation(
    recipe: Recipe,
    nlp: Language,
    progress: Callable[[int], None] = lambda patients: None,
    with_audit: bool = True,
    say: Say = lambda step: None,
    rivals: Mapping[str, RiskModel] | None = None,
) -> TrainedModel:
    """Simulate the recipe's cohort and train on it.

    The simulation runs to its own end, a year past the day that demonstration exports
    show, so that this cohort's last outcomes are known; its seed is the recipe's own.
    """
    cohort = simulated_cohort(recipe, nlp, progress)
    return train(cohort, recipe, fingerprint(nlp), SIMULATED, with_audit, say, rivals)


def simulated_cohort(
    recipe: Recipe, nlp: Language, progress: Callable[[int], None] = lambda patients: None
) -> Cohort:
    """Simulate the recipe's patients and read their notes."""
    parameters = load_parameters()
    days = (parameters.start, parameters.end)
    whole = parameters.as_of(parameters.end)
    records = _as_they_are_read(recipe, whole)
    return gather(records, nlp, load_lexicon(), days, recipe.cohort, progress)


def _as_they_are_read(recipe: Recipe, parameters: Parameters) -> Iterator[PatientRecord]:
    """Simulate every patient, and write the notes of those whose notes will be read.

    Who is read is decided by the codes, and writing is most of the work.
    """
    silent, seed = parameters.without_notes(), recipe.cohort.simulation_seed
    for number in range(recipe.cohort.simulated_patients):
        record = simulate_patient(number, seed, silent).record
        if sampling_weight(record, parameters.start, recipe.cohort):
            record = simulate_patient(number, seed, parameters).record
        yield record


def train(
    cohort: Cohort,
    recipe: Recipe,
    pipeline: str,
    described: str,
    with_audit: bool = True,
    say: Say = lambda step: None,
    rivals: Mapping[str, RiskModel] | None = None,
) -> TrainedModel:
    """Choose, fit, calibrate, test and audit on a cohort.

    Parameters
    ----------
    pipeline
        Fingerprint of the spaCy pipeline that read the notes.
    described
        Who the patients are, in words.
    with_audit
        Whether to look for leakage.
    say
        Takes the name of each step as it begins.
    rivals
        Models to compare with, by digest: they score the test patients too.

    Raises
    ------
    ModelError
        E420: a part of the split has too few outcomes to learn or to judge from. E422: the
        audit found leakage.
    """
    table, folds, seed = load_features(), recipe.fit.folds, recipe.fit.seed
    data = cohort.data(table)
    rows = by_part(data.patients.tolist(), lambda patient: part_of(patient, recipe.split))
    parts = {name: _count(data, numbers) for name, numbers in rows.items()}
    _require_outcomes(parts, folds)
    learnt, held, test = (data.take(rows[name]) for name in ("train", "calibration", "test"))

    say("nested cross-validation")
    who, competitors = age_and_sex(table, recipe.fit), candidates(table, recipe.fit)
    judged = nested([who, *competitors], learnt, folds, seed)
    won = winner(judged[1:])
    say("fitting and calibrating")
    fitted = {c.name: calibrated(c, learnt, held, folds, seed) for c in (who, *competitors)}
    chosen = fitted[won.name]

    say("measuring on the test patients")
    probabilities = {"model": chosen.probability(test)}
    probabilities |= {n: f.probability(test) for n, f in fitted.items() if n != won.name}
    probabilities |= _halves(chosen, learnt, held, test, table)
    measures = {
        name: assess(test.outcome, p, test.weight, test.patients, recipe.fit.bootstrap, seed)
        for name, p in probabilities.items()
    }
    languages = [cohort.examples[i].language for i in rows["test"]]
    probes: list[LeakageCheck] = []
    if with_audit:
        say("audit")
        probes = audit(
            cohort,
            data,
            rows,
            table,
            load_lexicon(),
            lambda some, others: chosen.candidate.log_odds(
                chosen.candidate.fit(some, chosen.setting), others
            ),
            measures["model"]["auroc"].value,
            seed,
        )
        require_clean(probes)
    say("clinical use, lead time, published scores, later years")
    concepts = load_lexicon().concepts
    metrics = {
        **_account(cohort, recipe, data, parts, pipeline, described, table),
        **_choice(judged, won, fitted),
        "age_bands": age_bands(
            {one.name: one.log_odds for one in judged},
            [timeline.age or 0 for timeline in learnt.timelines],
            learnt.outcome,
            learnt.weight,
        ),
        "test": measures,
        **clinical_use(test, languages, probabilities, table, recipe.fit),
        "baselines": published_scores(
            test, probabilities["model"], table, concepts, recipe.fit.bootstrap, seed
        ),
        "lead_time": lead_times(
            cohort, recipe, set(test.patients.tolist()), test, chosen, fitted[who.name], table
        ),
        "temporal": temporal_check(data, rows, recipe, chosen),
        "audit": [{**asdict(probe), "passed": probe.passed} for probe in probes],
    }
    say("bootstrap members, for the interval of each estimate")
    spec = {
        "horizon_days": recipe.cohort.horizon_days,
        "gap_days": recipe.cohort.gap_days,
        "min_age": recipe.cohort.min_age,
        "cohort": described,
        "pipeline": pipeline,
        "prevalence": float(np.average(learnt.outcome, weights=learnt.weight)),
    }
    shipped = assemble(chosen, learnt, held, table, recipe.fit, spec)
    metrics |= {"weights": _weights(shipped, table), "calibration_line": chosen.line}
    return TrainedModel(
        recipe=recipe,
        parts=shipped,
        metrics=plain(metrics),
        predictions=predictions(
            test,
            languages,
            probabilities["model"],
            table,
            recipe.split.salt,
            {
                digest: rival.probabilities(test.features, test.timelines)
                for digest, rival in (rivals or {}).items()
            },
        ),
        data_fingerprint=cohort.fingerprint,
    )


def _halves(
    chosen: Calibrated, learnt: Data, held: Data, test: Data, table: FeatureTable
) -> dict[str, Vector]:
    """The chosen kind of model, told each half of the record alone."""
    found = {}
    names = {Origin.STRUCTURED: "structured data only", Origin.NOTE: "notes only"}
    for origin, name in names.items():
        some, others, judged = (d.only(origin, table) for d in (learnt, held, test))
        model = chosen.candidate.fit(some, chosen.setting)
        line = platt(others.outcome, chosen.candidate.log_odds(model, others), others.weight)
        found[name] = Calibrated(chosen.candidate, model, chosen.setting, line).probability(judged)
    return found


def _account(
    cohort: Cohort,
    recipe: Recipe,
    data: Data,
    parts: Mapping[str, Mapping[str, float]],
    pipeline: str,
    described: str,
    table: FeatureTable,
) -> dict[str, Any]:
    """Who was learnt from, and who was left out."""
    return {
        "name": recipe.name,
        "cohort": described,
        "days": [str(day) for day in cohort.days],
        "patients": cohort.patients,
        "patients_read": cohort.read,
        "notes": cohort.notes,
        "left_out": dict(sorted(cohort.left_out.items())),
        "parts": parts,
        "prevalence": float(np.average(data.outcome, weights=data.weight)),
        "outcome": recipe.cohort.outcome,
        "data_fingerprint": cohort.fingerprint,
        "pipeline": pipeline,
        "feature_table": table.digest,
        "feature_table_version": table.version,
        "features": len(table.names),
    }


def _choice(
    judged: list[NestedCvResult], won: NestedCvResult, fitted: Mapping[str, Calibrated]
) -> dict[str, Any]:
    """How the model was chosen."""
    return {
        "family": won.name,
        "nested": [
            {
                "name": one.name,
                "loss": one.loss,
                "worse": one.worse,
                "error": one.error,
                "settings": list(one.settings),
                "setting": fitted[one.name].setting,
                "chosen": one.name == won.name,
            }
            for one in judged
        ],
    }


def _weights(parts: ModelArtifacts, table: FeatureTable) -> dict[str, float]:
    """Calibrated log-odds per standard deviation of each feature; none where not linear."""
    if parts.spec.family != "logistic":
        return {}
    slope = parts.spec.calibration[0]
    coefficients = parts.classifier[-1].coef_[0]  # type: ignore[index]  # a fitted pipeline
    return dict(zip(table.names, (slope * coefficients).tolist(), strict=True))


def _count(data: Data, rows: npt.NDArray[np.int_]) -> dict[str, float]:
    some = data.take(rows)
    share = float(np.average(some.outcome, weights=some.weight)) if len(some) else 0.0
    return {
        "patients": len(np.unique(some.patients)),
        "examples": len(some),
        "outcomes": int(some.outcome.sum()),
        "share": share,
    }


def _require_outcomes(parts: Mapping[str, Mapping[str, float]], folds: int) -> None:
    for name, part in parts.items():
        if min(part["outcomes"], part["examples"] - part["outcomes"]) < folds:
            raise ModelError(
                "E420",
                f"the {name} part has {part['outcomes']:.0f} outcomes in {part['examples']:.0f} "
                "examples, too few: train on more patients, or over a longer record",
            )
