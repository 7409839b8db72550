"""Families other than the linear one: exact sums, stable answers, refused misfits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.classifiers import build_classifier
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.model_artifacts import NETWORK, TRUSTED_TYPES, ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec
from clinical_nlp.risk.reference_person import reference_rows
from clinical_nlp.risk.sequence import build_network
from clinical_nlp.risk.shapley import shapley
from clinical_nlp.risk.timeline_encoding import TimelineEncoder

TABLE = load_features()
WIDTH = len(TABLE.names)
DAY = date(2024, 6, 1)
SPEC = ModelSpec(
    features=TABLE.names, table_digest=TABLE.digest, reference=(0.0,) * WIDTH, horizon_days=365,
    gap_days=30, min_age=40, max_age=99, prevalence=0.01, cohort="nobody", pipeline="0" * 64,
)  # fmt: skip


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_shapley_additive_game_returns_terms(weights):
    terms = np.array(weights)
    assert np.allclose(shapley(lambda masks: masks @ terms, len(terms)), terms)


def test_shapley_interaction_is_shared_and_sums_to_difference():
    both = shapley(lambda masks: 2.0 * (masks[:, 0] & masks[:, 1]) + masks[:, 2], 3)
    assert np.allclose(both, [1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def boosting():
    generator = np.random.default_rng(4)
    x = generator.normal(size=(500, WIDTH))
    x[generator.random(x.shape) < 0.2] = np.nan
    y = (np.nan_to_num(x[:, 0]) * np.nan_to_num(x[:, 4]) > 0.3).astype(int)
    trees = HistGradientBoostingClassifier(max_iter=15, max_leaf_nodes=5, random_state=0)
    model = Pipeline([("classify", trees)]).fit(x, y)
    member = Pipeline([("classify", HistGradientBoostingClassifier(max_iter=5))]).fit(x, y)
    spec = replace(SPEC, family="boosting", calibration=(0.8, -0.3))
    return ModelArtifacts([model, member], spec), x


def test_boosting_contributions_sum_to_log_odds_difference(boosting):
    parts, x = boosting
    risk = build_classifier(parts, TABLE)
    differences = risk.contributions(x[:6], x[6:12]).sum(axis=1)
    assert np.allclose(differences, risk.log_odds(x[:6]) - risk.log_odds(x[6:12]))
    assert risk.members(x[:6]).shape == (6, 1)


def test_boosting_skops_round_trip_needs_trusted_types_only(boosting):
    sio = pytest.importorskip("skops.io")
    parts, x = boosting
    packed = sio.dumps(parts.classifier)
    assert set(sio.get_untrusted_types(data=packed)) <= set(TRUSTED_TYPES)
    again = ModelArtifacts(sio.loads(packed, trusted=list(TRUSTED_TYPES)), parts.spec)
    assert np.array_equal(
        build_classifier(again, TABLE).log_odds(x), build_classifier(parts, TABLE).log_odds(x)
    )


@pytest.fixture(scope="module")
def sequence():
    import torch

    torch.manual_seed(0)
    shape = {
        "vocabulary": len(TimelineEncoder(TABLE, {}).vocabulary), "width": 8, "dropout": 0.1,
        "scales": {"nt_probnp": [5.0, 1.0]},
    }  # fmt: skip
    network = build_network(shape)
    torch.nn.init.normal_(network.out.weight, std=1.0)
    tensors = {NETWORK + name: value.numpy() for name, value in network.state_dict().items()}
    return ModelArtifacts(None, replace(SPEC, family="sequence", network=shape), tensors)


def test_sequence_contributions_sum_to_log_odds_difference(sequence, timeline, note, event):
    notes = [
        note(DAY - timedelta(days=d), "Edemas.", ("Edemas", "ankle_edema", {})) for d in (90, 30)
    ]
    seen = event("observation", "loinc", "33762-6", date(2024, 3, 12), value=640.0, unit="pg/mL")
    patient = timeline(DAY, notes, [seen])
    (measured,) = (e for e in patient.entries if e.concept == "nt_probnp")
    other = replace(patient, entries=(replace(measured, value=125.0),))  # the reference person
    features = feature_matrix([patient], TABLE)
    reference = reference_rows([patient], features, TABLE)
    risk = build_classifier(sequence, TABLE)
    contributions = risk.contributions(features, reference, [patient])
    difference = risk.log_odds(features, [patient]) - risk.log_odds(reference, [other])
    assert contributions.sum() == pytest.approx(difference[0])
    names = list(TABLE.names)
    assert contributions[0, names.index("note_edema_days")] != 0
    assert contributions[0, names.index("nt_probnp")] != 0
    assert contributions[0, names.index("age")] == contributions[0, names.index("contacts")] == 0


def test_sequence_older_entry_weighs_less(sequence, timeline, note):
    risk = build_classifier(sequence, TABLE)

    def log_odds(days: int) -> float:
        at = note(DAY - timedelta(days=days), "Edemas.", ("Edemas", "ankle_edema", {}))
        patient = timeline(DAY, [at])
        return float(risk.log_odds(np.zeros((1, WIDTH)), [patient])[0])

    nothing = float(risk.log_odds(np.zeros((1, WIDTH)), [timeline(DAY)])[0])
    assert abs(log_odds(10) - nothing) > abs(log_odds(3000) - nothing)


def test_sequence_without_timelines_raises_e418(sequence):
    with pytest.raises(ModelError, match="E418"):
        build_classifier(sequence, TABLE).log_odds(np.zeros((1, WIDTH)))


@pytest.mark.parametrize(
    "change", [{"family": "oracle"}, {"family": "boosting"}, {"family": "logistic"}]
)
def test_build_classifier_other_family_raises_e414(sequence, change):
    with pytest.raises(ModelError, match="E414"):
        build_classifier(ModelArtifacts(None, replace(SPEC, **change), sequence.tensors), TABLE)


def test_build_classifier_other_network_shape_raises_e414(sequence):
    spec = replace(sequence.spec, network={**sequence.spec.network, "width": 9})
    with pytest.raises(ModelError, match="E414"):
        build_classifier(ModelArtifacts(None, spec, sequence.tensors), TABLE)
