"""What is shown as a reason holds for any model and any record."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from small_models import small_parts

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import EventKind, Evidence, Sex
from clinical_nlp.risk.classifiers import build_classifier
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import feature_matrix, measured
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.risk.reasons import reasons_for
from clinical_nlp.risk.reference_person import (
    is_too_old,
    normal_of,
    reference_rows,
    reference_rules,
)
from clinical_nlp.risk.sentences import templates
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline

DAY = date(2024, 6, 1)
TABLE = load_features()
CONCEPTS = load_lexicon().concepts
TOPICS = {topic.key: topic for topic in TABLE.topics}
TOPIC_OF = {concept: topic for topic in TABLE.topics for concept in topic.concepts}


def entry(concept, days_ago=30, *, place=0, **fields):
    """An entry of a note, or of a resource with ``origin``."""
    day = DAY - timedelta(days=days_ago)
    origin = fields.pop("origin", Origin.NOTE)
    noted = origin is Origin.NOTE
    where = Evidence(
        f"{'DocumentReference' if noted else 'Condition'}/{place}-{day}",
        concept,
        day,
        *((place, place + 5) if noted else (None, None)),
    )
    kind = None if noted else fields.pop("kind", EventKind.CONDITION)
    presence = fields.pop("presence", Presence.PRESENT)
    return Entry(concept, day, day, origin, presence, where, kind, **fields)


def timeline(*entries, sex=Sex.FEMALE):
    ordered = tuple(sorted(entries, key=lambda e: (e.day, e.concept, e.evidence.source)))
    days = tuple(sorted({e.day for e in entries}))
    noted = tuple(sorted({e.day for e in entries if e.origin is Origin.NOTE}))
    return Timeline("p", DAY, sex, date(1950, 1, 1), ordered, (), (), noted, days)


def reasons_of(line, **contributions):
    """Reasons where a topic's first feature has a contribution, and nothing else has."""
    by_feature = dict.fromkeys(TABLE.names, 0.0)
    for key, value in contributions.items():
        by_feature[next(iter(TOPICS[key].features))] = value
    return reasons_for(line, by_feature, TABLE, CONCEPTS)


@st.composite
def timelines(draw):
    entries = []
    for place in range(draw(st.integers(0, 14))):
        topic = TOPIC_OF[concept := draw(st.sampled_from(sorted(TOPIC_OF)))]
        fields = {"presence": draw(st.sampled_from(list(Presence)))}
        if topic.measured:
            low, high = topic.plausible
            fields = {"value": draw(st.floats(low, high))}
        if draw(st.booleans()):
            fields |= {"origin": Origin.STRUCTURED}
        entries.append(entry(concept, draw(st.integers(0, 800)), place=place, **fields))
    return timeline(*entries, sex=draw(st.sampled_from(list(Sex))))


@pytest.fixture(scope="module")
def classifiers():
    """Fitted without any constraint of sign: what is shown must hold all the same."""
    generator = np.random.default_rng(7)
    x = generator.normal(size=(300, len(TABLE.names)))
    x[generator.random(x.shape) < 0.2] = np.nan
    y = (np.nan_to_num(x[:, 5] - x[:, 20] + x[:, 90]) > 0).astype(int)
    trees = HistGradientBoostingClassifier(max_iter=15, max_leaf_nodes=5, random_state=0)
    boosting = ModelArtifacts(
        [Pipeline([("classify", trees)]).fit(x, y)], replace(small_parts().spec, family="boosting")
    )
    return [
        build_classifier(parts, TABLE) for parts in (small_parts(), small_parts(seed=3), boosting)
    ]


@given(line=timelines(), which=st.integers(0, 2))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_reasons_of_random_patients_are_ones_a_clinician_would_accept(classifiers, line, which):
    features = feature_matrix([line], TABLE)
    reference = reference_rows([line], features, TABLE)
    values = classifiers[which].contributions(features, reference, [line])[0]
    reasons = reasons_for(line, dict(zip(TABLE.names, values, strict=True)), TABLE, CONCEPTS)

    lowering = {row["topic"] for row in reference_rules()["lowers"]}
    for reason in reasons:
        assert reason.evidence  # what is not mentioned is no reason
        topics = {TOPIC_OF[piece.concept].key: TOPIC_OF[piece.concept] for piece in reason.evidence}
        for topic in topics.values():
            pieces = [p for p in reason.evidence if p.concept in topic.concepts]
            if topic.measured:
                _check_value(topic, line, reason)
            elif any(_affirmed(line, piece) for piece in pieces):
                assert reason.contribution > 0 or topic.key in lowering
            else:
                assert reason.contribution < 0
    places = [(p.source, p.start, p.concept) for r in reasons for p in r.evidence]
    assert len(set(places)) == len(places)
    assert len({r.text for r in reasons}) == len(reasons)


def _affirmed(line, piece):
    (found,) = (e for e in line.entries if e.evidence == piece)
    return found.presence in (Presence.PRESENT, Presence.PAST)


def _check_value(topic, line, reason):
    last = measured(topic, line.of(topic.concepts), line, TABLE)[-1]
    normal = normal_of(topic.key, line.sex)
    assert not is_too_old(topic, last.day, DAY, line.sex)
    if reason.contribution < 0:
        assert normal.lowers and last.value < normal.high
    elif "en " not in reason.text:  # not shown for its trend
        assert not normal.low <= last.value <= normal.high


@given(line=timelines())
@settings(max_examples=60, deadline=None)
def test_silent_record_has_no_contribution_in_any_topic(line):
    """Only what the record holds differs from the reference person."""
    features = feature_matrix([line], TABLE)
    differs = ~np.isclose(features, reference_rows([line], features, TABLE), equal_nan=True)[0]
    mentioned = {TOPIC_OF[e.concept].key for e in line.entries}
    for name, different in zip(TABLE.names, differs, strict=True):
        assert not different or TABLE.topic_of[name].key in mentioned
        assert not (different and name.endswith("_missing"))


def test_first_reasons_hold_three_from_notes_where_notes_hold_three():
    coded = {"origin": Origin.STRUCTURED}
    line = timeline(
        entry("dyspnea_on_exertion", place=1),
        entry("ankle_edema", place=2),
        entry("nocturia", place=3),
        *(
            entry(concept, place=number, **coded)
            for number, concept in enumerate(
                ("diabetes_type_2", "hypertension", "stroke", "copd", "aortic_stenosis"), start=4
            )
        ),
    )
    reasons = reasons_of(
        line, exertional_dyspnea=0.1, edema=0.2, fluid=0.3, diabetes=1.0, hypertension=1.1,
        vascular_disease=1.2, copd=1.3, valve_disease=1.4,
    )  # fmt: skip
    assert len(reasons) == templates()["max_drivers"]
    assert sum(reason.evidence[0].start is not None for reason in reasons) == 3
    totals = [reason.contribution for reason in reasons]
    assert totals == sorted(totals, reverse=True) and totals[:2] == [1.4, 1.3]


def test_topics_that_say_the_same_are_one_reason():
    line = timeline(
        entry("obesity", place=1), entry("bmi", place=2, value=36.4, unit="kg/m2"),
        entry("hypertension", place=3), entry("enalapril", place=4), entry("bisoprolol", place=5),
    )  # fmt: skip
    reasons = reasons_of(
        line, obesity=0.2, bmi=0.3, hypertension=0.2, antihypertensive=0.1, beta_blocker=0.1
    )
    assert [(r.text, r.contribution) for r in reasons] == [
        ("obesidad en la nota del 02/05/2024, junto con IMC 36,4 kg/m² (02/05/2024)", 0.5),
        (
            "hipertensión arterial en la nota del 02/05/2024, "
            "junto con tratamiento con enalapril y bisoprolol",
            0.4,
        ),
    ]


def test_one_resource_is_not_two_reasons():
    one = entry("hypertensive_heart_disease", origin=Origin.STRUCTURED)
    other = replace(one, concept="chronic_kidney_disease")
    reasons = reasons_of(timeline(one, other), hypertension=0.4, kidney_disease=0.3)
    assert [reason.contribution for reason in reasons] == [0.4]


@pytest.mark.parametrize(
    ("sign_ago", "drug_ago", "own_reason"), [(60, 60, False), (60, 30, False), (30, 60, True)]
)
def test_diuretic_begun_for_oedema_is_told_with_it(sign_ago, drug_ago, own_reason):
    line = timeline(
        entry("ankle_edema", sign_ago, place=1),
        entry("furosemide", drug_ago, place=2, origin=Origin.STRUCTURED, kind=EventKind.MEDICATION),
    )
    texts = [reason.text for reason in reasons_of(line, edema=0.5, loop_diuretic=0.8)]
    with_it = any(", tratamiento con furosemida desde " in text for text in texts)
    assert with_it is not own_reason
    assert any(text.startswith("tratamiento con furosemida") for text in texts) is own_reason


@pytest.mark.parametrize(
    ("months", "words"), [(2, "(01/04/2024)"), (10, "hace 10 meses"), (13, None)]
)
def test_value_tells_its_age_and_stops_counting(months, words):
    line = timeline(entry("nt_probnp", round(30.44 * months), value=900.0, unit="pg/mL"))
    reasons = reasons_of(line, nt_probnp=1.0)
    assert words in reasons[0].text if words else reasons == ()


def test_mimic_is_no_reason():
    line = timeline(entry("venous_insufficiency"), entry("amlodipine", place=2))
    assert reasons_of(line, venous_insufficiency=0.5, calcium_blocker=0.5) == ()


def test_sign_denied_later_says_so():
    line = timeline(
        entry("ankle_edema", 60), entry("ankle_edema", 20, presence=Presence.ABSENT, place=9)
    )
    (reason,) = reasons_of(line, edema=0.5)
    assert reason.text == "edema maleolar en la nota del 02/04/2024, no en la del 12/05/2024"


def test_stroke_of_the_past_is_a_history():
    (reason,) = reasons_of(timeline(entry("stroke", presence=Presence.PAST)), vascular_disease=0.5)
    assert reason.text == "antecedente de ictus en la nota del 02/05/2024"


def test_normal_pressure_is_no_reason_and_raised_one_is():
    assert reasons_of(timeline(entry("systolic_bp", value=128.0)), systolic_bp=0.3) == ()
    (reason,) = reasons_of(timeline(entry("systolic_bp", value=162.0)), systolic_bp=0.3)
    assert reason.text == "tensión sistólica 162 mmHg (02/05/2024)"


def test_several_signs_are_told_by_name():
    line = timeline(entry("crackles", place=1), entry("raised_jvp", place=2))
    (reason,) = reasons_of(line, congestion=0.5)
    assert reason.text == "crepitantes e ingurgitación yugular en la nota del 02/05/2024"


def test_denial_names_what_was_denied():
    denied = {"presence": Presence.ABSENT}
    line = timeline(entry("palpitations", place=1, **denied), entry("syncope", place=2, **denied))
    (reason,) = reasons_of(line, rhythm=-0.5)
    assert reason.text == "sin palpitaciones ni síncope en la nota del 02/05/2024"


def test_two_drugs_are_one_treatment():
    line = timeline(entry("candesartan"), entry("nebivolol", place=2))
    (reason,) = reasons_of(line, antihypertensive=0.2, beta_blocker=0.1)
    assert reason.text == "tratamiento con candesartán y nebivolol"
