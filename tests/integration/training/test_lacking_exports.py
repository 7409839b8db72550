"""Whatever the data lack: a whole model folder, or an error that names the lack and the remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest

from clinical_nlp.artifacts import MODEL_FOLDER, shipped_folder
from clinical_nlp.errors import ClinicalNlpError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import EventKind, PatientRecord, Sex
from clinical_nlp.registry.artifact import load_model
from clinical_nlp.registry.manifest import verified_digest
from clinical_nlp.registry.tracking import log_run, write_shipped
from clinical_nlp.risk.diagnosis import codes_heart_failure
from clinical_nlp.simulation import load_parameters, simulate_patients
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.risk.dataset import Cohort, build_cohort
from clinical_nlp.training.risk.recipe import Recipe
from clinical_nlp.training.risk.train import train

DAY = date(2023, 5, 4)
Change = Callable[[PatientRecord], PatientRecord]


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    shipped = read_recipe(shipped_folder("hf-risk") / "recipe.toml", Recipe)
    fit = shipped.fit.replace(
        families=("logistic",), strengths=(0.01,), folds=2, bootstrap=10, members=4
    )
    return shipped.replace(fit=fit, cohort=shipped.cohort.replace(controls_share=0.25))


@pytest.fixture(scope="module")
def records() -> list[PatientRecord]:
    parameters = load_parameters()
    people = simulate_patients(900, 5, parameters.as_of(parameters.end).without_notes())
    return [person.record for person in people]


def without(*concepts: str) -> Change:
    """Remove what codes some concepts."""
    lexicon = load_lexicon()

    def change(record: PatientRecord) -> PatientRecord:
        kept = [
            event
            for event in record.events
            if not any(lexicon.by_code(c.system, c.code) in concepts for c in event.codings)
        ]
        return replace(record, events=tuple(kept))

    return change


def of_kinds(*kinds: EventKind) -> Change:
    return lambda record: replace(
        record, events=tuple(event for event in record.events if event.kind in kinds)
    )


def without_outcomes(record: PatientRecord) -> PatientRecord:
    events = tuple(event for event in record.events if not codes_heart_failure(event))
    return replace(record, events=events)


def on_one_day(record: PatientRecord) -> PatientRecord:
    moved = (replace(e, start=DAY, end=None, recorded=DAY) for e in record.events)
    return replace(record, events=tuple(moved), notes=(), died=None)


def cohort_of(records: Iterator[PatientRecord], recipe: Recipe) -> Cohort:
    parameters = load_parameters()
    days = (parameters.start, parameters.end)
    patients = ((record, 1.0, ()) for record in records)
    return build_cohort(patients, load_lexicon(), days, recipe.cohort)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        without("bmi", "body_weight", "body_height"),
        without("nt_probnp", "bnp"),
        of_kinds(EventKind.CONDITION, EventKind.ENCOUNTER),
        lambda record: replace(record, sex=Sex.FEMALE),
        lambda record: replace(record, sex=Sex.UNKNOWN),
    ],
    ids=["no BMI", "no NT-proBNP", "diagnoses only", "one sex", "no sex"],
)
def test_train_without_some_data_leaves_a_whole_folder(
    records, recipe, change, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    cohort = cohort_of(map(change, records), recipe)
    model = train(cohort, recipe, "0" * 64, "nobody", leakage_checks=False)
    folder = tmp_path / "model"
    digest = write_shipped(model, folder)
    load_model(folder / MODEL_FOLDER, verified_digest(folder))
    assert {path.name for path in folder.iterdir()} == {
        "card.md", "manifest.json", "metrics.json", "model", "predictions.json",
    }  # fmt: skip
    for row in json.loads((folder / "metrics.json").read_text("utf-8"))["baselines"]:
        assert "auroc" in row  # null where nobody has the score
    assert log_run(model, folder, digest, f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.slow
def test_few_outcomes_leave_a_whole_folder_and_no_false_alarm(
    records, recipe, tmp_path, monkeypatch
):
    """With the leakage checks: what cannot be measured is said, and fails nothing."""
    monkeypatch.chdir(tmp_path)
    cohort = cohort_of(iter(records), recipe)
    model = train(cohort, recipe, "0" * 64, "nobody")
    folder = tmp_path / "model"
    write_shipped(model, folder)
    card = (folder / "card.md").read_text("utf-8")
    assert "too few outcomes to measure" in card and "not measured" in card
    assert (folder / "predictions.json").is_file()


@pytest.mark.parametrize(
    ("change", "patients", "code"),
    [
        (without_outcomes, 900, "E420"),
        (lambda record: record, 3, "E420"),
        (lambda record: record, 0, "E420"),
        (on_one_day, 900, "E420"),
        (lambda record: replace(record, birth_date=None), 900, "E420"),
        (lambda record: replace(record, events=()), 900, "E420"),
    ],
    ids=["no outcomes", "three patients", "nobody", "one day", "no birth dates", "no codes"],
)
def test_train_without_what_it_needs_names_the_lack(records, recipe, change, patients, code):
    cohort = cohort_of(map(change, records[:patients]), recipe)
    with pytest.raises(ClinicalNlpError, match=rf"{code}.*too few.*clinical-nlp codes"):
        train(cohort, recipe, "0" * 64, "nobody", leakage_checks=False)
