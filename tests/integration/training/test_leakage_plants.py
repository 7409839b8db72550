"""What must not pass for a prediction is planted in a simulated cohort: caught, or harmless.

Caught: E422 names the check. Harmless: the plant adds no more to the AUROC than chance does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clinical_nlp.errors import ModelError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import CodedEvent, Coding, EventKind, Finding, Note, NoteFindings
from clinical_nlp.risk.diagnosis import codes_heart_failure
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.simulation import load_parameters, simulate_patient
from clinical_nlp.training.risk import checks, leakage
from clinical_nlp.training.risk.cohort import _index_days, sampling_weight
from clinical_nlp.training.risk.dataset import Cohort, ReadPatient, build_cohort
from clinical_nlp.training.risk.leakage import require_no_leakage
from clinical_nlp.training.risk.recipe import CohortRecipe
from clinical_nlp.training.risk.record_check import record_checks

TABLE, LEXICON = load_features(), load_lexicon()
PARAMETERS = load_parameters()
DAYS = PARAMETERS.start, PARAMETERS.end
RECIPE = CohortRecipe(
    simulated_patients=1, simulation_seed=1, gap_days=30, horizon_days=365,
    history_days=365, step_days=365, min_age=40, controls_share=0.25,
)  # fmt: skip
AGE_AND_SEX = [n for n, name in enumerate(TABLE.names) if name.startswith("age") or name == "male"]
ATC, LOINC = "http://www.whocc.no/atc", "http://loinc.org"


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(checks, "RESAMPLES", 40)
    monkeypatch.setattr(leakage, "RESAMPLES", 40)


@pytest.fixture(scope="module")
def patients() -> list[ReadPatient]:
    """Every case of 4,000 simulated patients and a quarter of the others; no notes."""
    parameters = PARAMETERS.as_of(PARAMETERS.end).without_notes()
    records = (simulate_patient(number, 5, parameters).record for number in range(4000))
    return [(r, w, ()) for r in records if (w := sampling_weight(r, DAYS[0], RECIPE))]


@pytest.fixture(scope="module")
def honest(patients) -> Cohort:
    return cohort_of(patients)


def cohort_of(patients: Iterable[ReadPatient]) -> Cohort:
    return build_cohort(patients, LEXICON, DAYS, RECIPE)


def out_of_fold(cohort: Cohort, columns: list[int] | None = None):
    """Probability of each example by a ridge regression that has not seen the patient."""
    data = cohort.data(TABLE)
    model = make_pipeline(
        SimpleImputer(keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.003 if columns is None else 1.0, max_iter=400),
    )
    features = data.features if columns is None else data.features[:, columns]
    folds = GroupKFold(5, shuffle=True, random_state=1)
    return cross_val_predict(
        model, features, data.outcome, groups=data.patients, cv=folds, method="predict_proba"
    )[:, 1]


def gain(cohort: Cohort) -> float:
    """AUROC above that of age and sex."""
    data = cohort.data(TABLE)
    auroc = [
        roc_auc_score(data.outcome, out_of_fold(cohort, columns), sample_weight=data.weight)
        for columns in (None, AGE_AND_SEX)
    ]
    return float(auroc[0] - auroc[1])


def failed(cohort: Cohort) -> set[str]:
    """Names of the checks that stop a run on this cohort."""
    data = cohort.data(TABLE)
    model, age_and_sex = out_of_fold(cohort), out_of_fold(cohort, AGE_AND_SEX)
    found = [
        leakage._check_gain(data, model, age_and_sex, 1),
        checks.check_columns(
            "place in the export", leakage._places(cohort, data.patients), data, 1
        ),
        *record_checks(cohort, data, TABLE, RECIPE.gap_days),
    ]
    names = {check.name.split(" (")[0] for check in found if not check.passed}
    if names:
        with pytest.raises(ModelError, match="E422") as error:
            require_no_leakage(found)
        assert all(check.remedy in str(error.value) for check in found if not check.passed)
    return names


def diagnosed_on(events: Iterable[CodedEvent]) -> date | None:
    days = [e.start or e.recorded for e in events if codes_heart_failure(e)]
    return min((day for day in days if day is not None), default=None)


def planted(
    patients: list[ReadPatient], plant: Callable[[ReadPatient, date], ReadPatient]
) -> Cohort:
    """The cohort with something planted in every patient who is ever diagnosed."""
    return cohort_of(
        patient if (day := diagnosed_on(patient[0].events)) is None else plant(patient, day)
        for patient in patients
    )


def with_events(patient: ReadPatient, *events: CodedEvent) -> ReadPatient:
    record, weight, notes = patient
    return replace(record, events=(*record.events, *events)), weight, notes


def with_note(patient: ReadPatient, day: date, text: str, *findings: Finding) -> ReadPatient:
    record, weight, notes = patient
    written = datetime(day.year, day.month, day.day, 9)
    note = Note(f"DocumentReference/{record.id}-{day}-{len(notes)}", record.id, text, written)
    return replace(record, notes=(*record.notes, note)), weight, (
        *notes, NoteFindings(note, findings),
    )  # fmt: skip


def drug(code: str, day: date) -> CodedEvent:
    coding = (Coding(ATC, code),)
    return CodedEvent(EventKind.MEDICATION, f"MedicationRequest/p{code}", coding, day)


def first_index_before(record_id: str, day: date) -> date | None:
    """The index day of whose window a diagnosis on ``day`` is the outcome."""
    days = [d for d in _index_days(record_id, *DAYS, RECIPE) if 30 < (day - d).days <= 395]
    return days[-1] if days else None


def test_honest_cohort_passes(honest):
    assert failed(honest) == set()
    assert gain(honest) < 0.05


def late_code(drugs: tuple[str, ...]) -> Callable[[ReadPatient, date], ReadPatient]:
    """Diagnosed and treated 14 months before the first code, by these drugs."""

    def plant(patient: ReadPatient, day: date) -> ReadPatient:
        return with_events(patient, *(drug(code, day - timedelta(days=420)) for code in drugs))

    return plant


def test_known_disease_with_its_treatment_is_no_outcome(patients, honest):
    """Diagnosed patients whose first code comes later: the features would give them away."""
    cohort = planted(patients, late_code(("C03CA01", "C03DA01", "C07AB07")))
    assert not any(e.outcome and is_treated(e.timeline) for e in cohort.examples)
    assert abs(gain(cohort) - gain(honest)) < 0.04


def is_treated(timeline) -> bool:
    return {"furosemide", "spironolactone", "bisoprolol"} <= {e.concept for e in timeline.entries}


def test_known_disease_that_no_rule_knows_is_caught_by_the_gain(patients):
    """Furosemide and digoxin: neither is treatment of heart failure alone."""
    cohort = planted(patients, late_code(("C03CA01", "C01AA05")))
    assert "gain over age and sex" in failed(cohort)


def test_known_disease_told_as_history_is_no_outcome(patients, honest):
    words = "Antecedentes: insuficiencia cardíaca."
    finding = Finding(14, 36, words[14:36], "heart_failure", historical=True)

    def plant(patient: ReadPatient, day: date) -> ReadPatient:
        record = with_events(patient, drug("C03CA01", day - timedelta(days=420)))
        return with_note(record, day - timedelta(days=60), words, finding)

    cohort = planted(patients, plant)
    assert sum(e.outcome for e in cohort.examples) < 0.2 * sum(e.outcome for e in honest.examples)


@pytest.mark.parametrize("read", [True, False])
def test_referral_on_the_day_before_the_index_is_harmless_or_caught(patients, read):
    """Read as what it says, it is a suspicion in writing; where it is not, its day tells."""
    words = "Remitido a cardiología por insuficiencia cardíaca."
    finding = Finding(27, 49, words[27:49], "heart_failure")

    def plant(patient: ReadPatient, day: date) -> ReadPatient:
        index = first_index_before(patient[0].id, day)
        if index is None:
            return patient
        return with_note(patient, index - timedelta(days=1), words, *([finding] if read else []))

    cohort = planted(patients, plant)
    if read:
        told = [
            e for e in cohort.examples if e.timeline.as_of - timedelta(1) in e.timeline.note_days
        ]
        assert told == []
        assert failed(cohort) == set()
    else:
        assert "contacts in the week before the index day" in failed(cohort)


def test_peptide_dated_by_its_year_is_known_at_its_end_or_caught(patients, honest):
    """As FHIR gives it (2023) it comes too late to tell; filled up to a day it is caught."""

    def peptide(day: date, known: date | None) -> CodedEvent:
        start = date(day.year, 1, 1)
        coding = (Coding(LOINC, "33762-6"),)
        return CodedEvent(
            EventKind.OBSERVATION, "Observation/peptide", coding, start,
            recorded=known, value=200.0, unit="pg/mL",  # raised for the age it would be a suspicion
        )  # fmt: skip

    as_a_day = planted(patients, lambda p, day: with_events(p, peptide(day, None)))
    assert failed(as_a_day) >= {"dates that stand for a year", "tests dated 1 January"}
    as_a_year = planted(
        patients, lambda p, day: with_events(p, peptide(day, date(day.year, 12, 31)))
    )
    assert abs(gain(as_a_year) - gain(honest)) < 0.02
    assert failed(as_a_year) == set()


@pytest.mark.parametrize("cases_first", [True, False])
def test_outcome_by_place_in_the_file_is_caught(honest, cases_first):
    """Ids in order say nothing; the true place does."""
    ill = {e.patient_id for e in honest.examples if e.outcome}
    order = sorted(
        {e.patient_id for e in honest.examples}, key=lambda p: ((p in ill) != cases_first, p)
    )
    moved = replace(honest, places={patient: place for place, patient in enumerate(order)})
    assert failed(moved) == {"place in the export"}


def test_notes_dated_back_are_caught(patients):
    """Notes of the admission that stand under the visit before it."""

    def plant(patient: ReadPatient, day: date) -> ReadPatient:
        index = first_index_before(patient[0].id, day)
        if index is None:
            return patient
        return with_note(patient, index - timedelta(days=40), f"Ingreso el {day:%d/%m/%Y}.")

    def visits(patient: ReadPatient) -> ReadPatient:
        """Everyone has notes; some speak of an appointment, as they should."""
        for year in (2022, 2023, 2024):
            text = f"Visita {year}. Próxima cita el 12/11/{year}."
            patient = with_note(patient, date(year, 2, 3), text)
        return patient

    seen = [visits(patient) for patient in patients]
    assert "notes that speak of later days" not in failed(cohort_of(seen))
    assert "notes that speak of later days" in failed(planted(seen, plant))


def test_diagnoses_that_end_before_the_data_are_caught(patients):
    def cut(patient: ReadPatient) -> ReadPatient:
        record, weight, notes = patient
        kept = tuple(
            e for e in record.events
            if e.kind is not EventKind.CONDITION or (e.recorded or e.start) < date(2025, 1, 1)
        )  # fmt: skip
        return replace(record, events=kept), weight, notes

    assert "diagnoses end before the data" in failed(cohort_of(map(cut, patients)))


def test_outcome_that_comes_by_itself_gains_nothing(honest):
    """The gain is measured out of fold: a model of noise has none."""
    data = honest.data(TABLE)
    noise = np.random.default_rng(1).random(len(data))
    assert leakage._check_gain(data, noise, out_of_fold(honest, AGE_AND_SEX), 1).passed
