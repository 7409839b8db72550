from __future__ import annotations

import math
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical_nlp.errors import ModelError
from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import load_features, parse_features
from clinical_nlp.risk.features import feature_matrix, feature_row
from clinical_nlp.risk.timeline import Timeline

DAY = date(2024, 6, 1)
TABLE = load_features()


def values(line):
    return dict(zip(TABLE.names, feature_row(line, TABLE), strict=True))


def days_ago(n):
    return DAY - timedelta(days=n)


def test_load_features_no_concept_leaks_diagnosis(lexicon):
    banned = {"sacubitril_valsartan", "vericiguat", "ivabradine", "lvef"}
    for topic in TABLE.topics:
        categories = {lexicon.concepts[key].category for key in topic.concepts}
        assert "hf_diagnosis" not in categories, topic.key
        assert topic.concepts.isdisjoint(banned), topic.key


@pytest.mark.parametrize(
    "concept", ["heart_failure", "nyha_2", "lvef", "sacubitril_valsartan", "unicorn"]
)
def test_parse_features_leaking_or_unknown_concept_raises_e421(lexicon, concept):
    categories = {key: c.category for key, c in lexicon.concepts.items()}
    row = {"key": "t", "kind": "condition", "concepts": [concept], "source": "s"}
    data = {
        "topic": [row],
        "kinds": {"condition": {"note_{t}": ""}},
        "leakage": {"categories": ["hf_diagnosis"], "concepts": ["lvef", "sacubitril_valsartan"]},
        "version": "1",
        "lookback_days": 1,
        "current_days": 1,
        "half_life_days": 1,
        "trend_min_days": 1,
    }
    with pytest.raises(ModelError, match="E421"):
        parse_features(data, categories)


def test_feature_row_sign_gives_days_recency_span_and_trend(timeline, note):
    edema = ("edemas", "ankle_edema", {})
    denied = ("edemas", "ankle_edema", {"negated": True})
    line = timeline(
        DAY,
        [
            note(days_ago(800), "edemas", edema),  # before the look-back
            note(days_ago(545), "edemas", edema),
            note(days_ago(300), "edemas", denied),
            note(days_ago(180), "edemas", edema),
        ],
    )
    found = values(line)
    assert found["note_edema_days"] == pytest.approx(math.log(3))
    assert found["note_edema_recency"] == pytest.approx(0.5)
    assert found["note_edema_span"] == pytest.approx(1.0, abs=0.01)
    assert found["note_edema_denied"] == pytest.approx(math.log(2))
    assert found["structured_edema_days"] == 0.0


def test_feature_row_keeps_sources_apart(timeline, note, event):
    line = timeline(
        DAY,
        [note(days_ago(3000), "FA", ("FA", "atrial_fibrillation", {}))],
        [event("condition", "icd10", "E11.9", days_ago(4000))],
    )
    found = values(line)
    assert (found["note_atrial_fibrillation"], found["structured_atrial_fibrillation"]) == (1, 0)
    assert (found["note_diabetes"], found["structured_diabetes"]) == (0, 1)


def test_feature_row_stopped_drug_is_not_in_use(timeline, note, event):
    taken = ("furosemida", "furosemide", {})
    stopped = ("furosemida", "furosemide", {"historical": True})
    running = note(days_ago(90), "furosemida", taken)
    assert values(timeline(DAY, [running]))["note_loop_diuretic"] == 1
    ended = note(days_ago(30), "Se suspende furosemida", stopped)
    assert values(timeline(DAY, [running, ended]))["note_loop_diuretic"] == 0
    assert (
        values(timeline(DAY, [note(days_ago(400), "furosemida", taken)]))["note_loop_diuretic"] == 0
    )
    old = event("medication", "atc", "C03CA01", days_ago(2000))
    assert values(timeline(DAY, events=[old]))["structured_loop_diuretic"] == 1
    over = event("medication", "atc", "C03CA01", days_ago(2000), end=days_ago(10))
    assert values(timeline(DAY, events=[over]))["structured_loop_diuretic"] == 0


def test_feature_row_measurement_is_last_plausible_value_or_missing(timeline, note, event):
    bare = values(timeline(DAY))
    assert math.isnan(bare["nt_probnp"]) and bare["nt_probnp_missing"] == 1
    line = timeline(
        DAY,
        [note(days_ago(40), "proBNP 640", ("640", "nt_probnp", {"value": 640.0}))],
        [
            event("observation", "loinc", "33762-6", days_ago(300), value=120.0, unit="pg/mL"),
            event("observation", "loinc", "33762-6", days_ago(10), value=0.0, unit="pg/mL"),
        ],
    )
    found = values(line)
    assert found["nt_probnp"] == pytest.approx(math.log(640))
    assert found["nt_probnp_missing"] == 0


def test_feature_row_trend_is_slope_per_year(timeline, event):
    line = timeline(
        DAY,
        events=[
            event("observation", "loinc", "33914-3", days_ago(d), value=v, unit="mL/min")
            for d, v in [(700, 70.0), (335, 60.0), (0, 50.0)]
        ],
    )
    found = values(line)
    assert found["egfr"] == 50.0
    assert found["egfr_trend"] == pytest.approx(-20 / (700 / 365.25), rel=0.03)


def test_timeline_only_keeps_features_of_one_origin(timeline, note, event):
    from clinical_nlp.risk.timeline import Origin

    line = timeline(
        DAY,
        [note(days_ago(30), "edemas", ("edemas", "ankle_edema", {}))],
        [event("condition", "icd10", "E11.9", days_ago(400))],
    )
    structured, noted = values(line.only(Origin.STRUCTURED)), values(line.only(Origin.NOTE))
    assert structured["note_edema_days"] == 0 and structured["structured_diabetes"] == 1
    assert noted["note_edema_days"] > 0 and noted["structured_diabetes"] == 0
    assert structured["notes"] == 0


@given(
    after=st.lists(
        st.tuples(
            st.integers(1, 700),
            st.sampled_from(
                [
                    ("condition", "icd10", "I50.9"),
                    ("medication", "atc", "C03CA01"),
                    ("medication", "atc", "C09DX04"),
                    ("condition", "icd10", "I48.91"),
                ]
            ),
        ),
        max_size=6,
    )
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_feature_row_future_data_change_nothing(timeline, note, event, after):
    """Leakage is designed out: whatever is known only later leaves every feature as it was."""
    notes = [note(days_ago(30), "edemas", ("edemas", "ankle_edema", {}))]
    events = [event("condition", "icd10", "E11.9", days_ago(400))]
    future = [
        event(kind, system, code, days_ago(5), recorded=DAY + timedelta(days=d))
        for d, (kind, system, code) in after
    ]
    later = [note(DAY + timedelta(days=d), "disnea", ("disnea", "dyspnea", {})) for d, _ in after]
    before = feature_matrix([timeline(DAY, notes, events)], TABLE)
    since = feature_matrix([timeline(DAY, [*notes, *later], [*events, *future])], TABLE)
    assert before.tobytes() == since.tobytes()


@pytest.mark.parametrize(
    ("born", "over"), [(1980, 0.0), (1949, 0.0), (1944, 0.5), (None, math.nan)]
)
def test_feature_row_age_over_bend_is_excess_in_decades(born, over):
    line = Timeline("p", DAY, Sex.FEMALE, None if born is None else date(born, 1, 1))
    assert values(line)["age_over_75"] == pytest.approx(over, nan_ok=True)


def test_topic_bend_is_unconstrained_and_missing_has_own_penalty():
    topics = TABLE.topic_of
    assert topics["age"].direction_of("age") == 1
    assert topics["age"].direction_of("age_over_75") == 0
    assert topics["egfr"].penalty_of("egfr") == 1.0 < topics["egfr"].penalty_of("egfr_missing")
    assert topics["age"].penalty_of("age_over_75") == topics["age"].penalty_of("age") < 1.0
