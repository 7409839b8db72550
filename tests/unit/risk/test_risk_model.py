"""The model as the batch calls it, with a hand-made classifier."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from clinical_nlp.errors import ModelError
from clinical_nlp.records import EstimateStatus, ModelReference
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.model import RiskModel
from clinical_nlp.risk.model_artifacts import ENSEMBLE, ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec

DAY = date(2024, 6, 1)
TABLE = load_features()
WEIGHTS = {
    "age": 0.5,
    "note_edema_days": 0.8,
    "note_edema_denied": -0.6,
    "nt_probnp": 0.9,
    "structured_diabetes": 0.4,
}


@pytest.fixture(scope="module")
def spec():
    return ModelSpec(
        features=TABLE.names,
        table_digest=TABLE.digest,
        reference=tuple(5.0 if name == "nt_probnp" else 0.0 for name in TABLE.names),
        horizon_days=365,
        gap_days=30,
        min_age=40,
        max_age=99,
        prevalence=0.011,
        cohort="nobody",
        pipeline="0" * 64,
    )


@pytest.fixture(scope="module")
def model(spec):
    width = len(TABLE.names)
    columns = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler(with_mean=False, with_std=False)),
        ]
    ).fit(np.array([spec.reference, spec.reference]))
    regression = LogisticRegression()
    regression.coef_ = np.array([[WEIGHTS.get(name, 0.0) for name in TABLE.names]])
    regression.intercept_ = np.array([-4.0])
    regression.classes_ = np.array([0, 1])
    regression.n_features_in_ = width
    reference = ModelReference("hf-risk", "1", "models:/hf-risk/1", "d" * 64)
    pipeline = Pipeline([*columns.steps, ("classify", regression)])
    weights = np.append(regression.coef_[0], -4.0)
    members = np.array([weights, 1.1 * weights, 0.9 * weights])
    return RiskModel(ModelArtifacts(pipeline, spec, {ENSEMBLE: members}), reference)


def test_estimate_scored_patient_has_reasons_and_missing_information(model, record, note, event):
    notes = tuple(
        note(
            DAY - timedelta(days=d), "Edemas maleolares.", ("Edemas maleolares", "ankle_edema", {})
        )
        for d in (90, 60, 30)
    )
    events = [
        event("observation", "loinc", "33762-6", date(2024, 3, 12), value=290.0, unit="pg/mL"),
        event("condition", "icd10", "E11.9", date(2015, 5, 1)),
    ]
    (estimate,) = model.estimate([(record(*events), notes)], DAY)

    assert estimate.status is EstimateStatus.SCORED
    assert [r.text for r in estimate.reasons] == [
        "edema maleolar en 3 notas desde marzo de 2024 (última: 02/05/2024)",
        "NT-proBNP 290 pg/mL (12/03/2024)",
        "diabetes mellitus tipo 2, en problemas desde mayo de 2015",
    ]
    of_the_reference = -4.0 + 0.5 * 1.0 + 0.9 * math.log(125)  # her age; a normal NT-proBNP
    log_odds = of_the_reference + sum(r.contribution for r in estimate.reasons)
    assert estimate.probability == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=2e-4)
    edema = next(r for r in estimate.reasons if r.text.startswith("edema"))
    assert [e.source for e in edema.evidence] == [n.note.key for n in reversed(notes)]
    assert (edema.evidence[0].start, edema.evidence[0].end) == (0, 17)
    assert estimate.missing == (
        "sin ECG en 24 meses",
        "sin tensión arterial, peso ni función renal en 24 meses",
    )
    assert estimate.model.version == "1"


def test_intervals_contain_probability(model, record, event):
    seen = event("condition", "icd10", "E11.9", date(2015, 5, 1))
    recent = event("condition", "icd10", "I10", date(2024, 5, 1))
    (estimate,) = model.estimate([(record(seen, recent), ())], DAY)
    low, high = estimate.interval
    assert 0 < low < estimate.probability < high < 1


def test_estimate_first_mention_of_sign_is_new(model, record, note):
    before = note(DAY - timedelta(days=400), "Lumbalgia.")
    first = note(DAY - timedelta(days=20), "Edemas.", ("Edemas", "ankle_edema", {}))
    (estimate,) = model.estimate([(record(), (before, first))], DAY)
    assert "edema maleolar de nueva aparición en la nota del 12/05/2024" in [
        r.text for r in estimate.reasons
    ]


def test_estimate_recalibration_applies_to_probability_interval_and_reasons(model, record, event):
    seen = event("condition", "icd10", "E11.9", date(2024, 5, 1))
    (plain,) = model.estimate([(record(seen), ())], DAY)
    parts = ModelArtifacts(
        model._classifier._pipeline,
        replace(model.spec, recalibration=(2.0, 1.0)),
        {ENSEMBLE: model._classifier._ensemble},
    )
    (moved,) = RiskModel(parts, model.reference).estimate([(record(seen), ())], DAY)
    assert moved.usual is plain.usual is None
    odds = [math.log(e.probability / (1 - e.probability)) for e in (plain, moved)]
    assert odds[1] == pytest.approx(2 * odds[0] + 1, abs=1e-3)
    assert moved.reasons[0].contribution == pytest.approx(2 * plain.reasons[0].contribution)


def test_estimate_protective_reasons_come_after_drivers(model, record, note, event):
    notes = tuple(
        note(DAY - timedelta(days=d), "No edemas.", ("edemas", "ankle_edema", {"negated": True}))
        for d in (60, 30)
    )
    diabetes = event("condition", "icd10", "E11.9", date(2015, 5, 1))
    (estimate,) = model.estimate([(record(diabetes), notes)], DAY)
    assert [(r.text, r.contribution > 0) for r in estimate.reasons] == [
        ("diabetes mellitus tipo 2, en problemas desde mayo de 2015", True),
        ("sin edema maleolar en 2 notas (última: 02/05/2024)", False),
    ]


def test_estimate_diagnosed_patient_is_not_scored(model, record, event):
    code = event("condition", "icd10", "I50.9", date(2020, 3, 1))
    (estimate,) = model.estimate([(record(code), ())], DAY)
    assert estimate.status is EstimateStatus.DIAGNOSED
    assert estimate.probability is None and estimate.band is None
    assert [r.text for r in estimate.reasons] == ["insuficiencia cardíaca codificada el 01/03/2020"]
    assert estimate.reasons[0].evidence[0].source == "Condition/I50.9-2020-03-01"


def test_estimate_unconfirmed_mention_is_suspected_and_not_scored(model, record, note):
    mention = note(
        date(2024, 2, 1), "insuficiencia cardíaca", ("insuficiencia cardíaca", "heart_failure", {})
    )
    (estimate,) = model.estimate([(record(), (mention,))], DAY)
    assert estimate.status is EstimateStatus.SUSPECTED
    assert estimate.probability is None and estimate.features == ()
    (reason,) = estimate.reasons
    assert reason.text.startswith("insuficiencia cardíaca nombrada en la nota del 01/02/2024")
    assert reason.contribution == 0.0 and reason.evidence[0].source == mention.note.key
    assert estimate.missing[0].startswith("aclarar si la insuficiencia cardíaca")


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ({"birth_date": None}, "Sin fecha de nacimiento"),
        ({"birth_date": date(1850, 1, 1)}, "Sin fecha de nacimiento"),
        ({"birth_date": date(1990, 1, 1)}, "Menor de 40 años"),
        ({"birth_date": date(1923, 1, 1)}, "Mayor de 99 años"),
        ({"deceased": True}, "Consta como fallecido"),
        ({"died": date(2024, 5, 1)}, "Consta como fallecido"),
    ],
)
def test_estimate_outside_support_abstains_with_reason(model, record, event, rest, words):
    seen = event("condition", "icd10", "I10", date(2024, 5, 1))
    (estimate,) = model.estimate([(record(seen, **rest), ())], DAY)
    assert estimate.status is EstimateStatus.ABSTAINED
    assert estimate.probability is None and estimate.abstention.startswith(words)


def test_estimate_without_recent_data_abstains(model, record, event):
    old = event("condition", "icd10", "I10", date(2015, 5, 1))
    (estimate,) = model.estimate([(record(old), ())], DAY)
    assert estimate.status is EstimateStatus.ABSTAINED
    assert "24 meses" in estimate.abstention


def test_estimate_death_after_index_day_is_ignored(model, record, event):
    seen = event("condition", "icd10", "I10", date(2024, 5, 1))
    (estimate,) = model.estimate([(record(seen, deceased=True, died=date(2024, 7, 1)), ())], DAY)
    assert estimate.status is EstimateStatus.SCORED


def test_estimate_tells_the_usual_risk_on_the_line_of_the_recalibration(model, record, event):
    seen = event("condition", "icd10", "E11.9", date(2024, 5, 1))
    usual = {"age": 0.6, "male": 0.3, "intercept": -5.0}
    parts = ModelArtifacts(
        model._classifier._pipeline, replace(model.spec, usual=usual, recalibration=(2.0, 1.0)), {}
    )
    (estimate,) = RiskModel(parts, model.reference).estimate([(record(seen), ())], DAY)
    assert estimate.usual == pytest.approx(1 / (1 + math.exp(-(2 * (-5.0 + 0.6) + 1))), abs=1e-6)
    assert "Lo habitual a su edad y sexo (mujer de 80 años): " in estimate.frequency


def test_estimate_that_other_training_patients_would_turn_over_abstains(model, record, event):
    seen = event("condition", "icd10", "E11.9", date(2024, 5, 1))
    weights = np.append(model._classifier._coefficients, -4.0)
    members = np.array([weights, weights, weights])
    members[:, -1] = -12.0, -4.0, -0.5
    parts = ModelArtifacts(model._classifier._pipeline, model.spec, {ENSEMBLE: members})
    (estimate,) = RiskModel(parts, model.reference).estimate([(record(seen), ())], DAY)
    assert estimate.status is EstimateStatus.ABSTAINED
    assert estimate.probability is None and estimate.reasons == ()
    assert estimate.abstention.startswith("Estimación demasiado incierta")


def test_estimate_is_independent_of_batch_and_order(model, record, note, event):
    patients = []
    for i in range(7):
        oedema = note(DAY - timedelta(days=9 + i), "Edemas.", ("Edemas", "ankle_edema", {}))
        patients.append((replace(record(birth_date=date(1930 + i, 1, 1)), id=f"p{i}"), (oedema,)))
    together = model.estimate(patients, DAY)
    alone = [model.estimate([patient], DAY)[0] for patient in reversed(patients)]
    assert repr(together) == repr(alone[::-1])  # missing features are NaN, unlike themselves
    assert [e.patient_id for e in together] == [f"p{i}" for i in range(7)]


def test_risk_model_other_feature_table_raises_e416(model, spec):
    with pytest.raises(ModelError, match="E416"):
        replace(spec, table_digest="0" * 64).check(TABLE)


def test_model_spec_metadata_round_trip(spec):
    assert ModelSpec.from_metadata(spec.to_metadata()) == spec
    with pytest.raises(ModelError, match="E415"):
        ModelSpec.from_metadata({"features": []})
