"""The reference person, the natural frequency and the grammar of every sentence."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.records import Sex
from clinical_nlp.risk.capacity import people_a_month, threshold_for
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.frequency import frequency_es
from clinical_nlp.risk.reference_person import is_denied_and_old, normal_of, reference_rules
from clinical_nlp.risk.sentences import decides_nothing, templates
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.spanish import months_es

TABLE = load_features()
TOPICS = {topic.key: topic for topic in TABLE.topics}
WOMAN = Timeline("p", date(2024, 6, 1), Sex.FEMALE, date(1944, 2, 1))


def test_every_measurement_has_a_normal_with_its_source():
    rows = {row["topic"]: row for row in reference_rules()["measurement"]}
    assert rows.keys() == {topic.key for topic in TABLE.topics if topic.measured}
    assert all(row["source"] and row["valid_months"] > 0 for row in rows.values())


def test_rules_name_topics_of_the_table():
    rules = reference_rules()
    named = {row["topic"] for kind in ("lowers", "mimic") for row in rules[kind]}
    named |= {key for row in rules["same"] for key in row["topics"]}
    named |= {key for row in rules["answers"] for key in (row["drug"], *row["signs"])}
    assert named <= TOPICS.keys()
    grouped = [key for row in rules["same"] for key in row["topics"]]
    assert len(grouped) == len(set(grouped))


@pytest.mark.parametrize(
    ("key", "value", "nearest"),
    [
        ("systolic_bp", 128, 128), ("systolic_bp", 165, 139), ("nt_probnp", 60, 125),
        ("nt_probnp", 900, 125), ("egfr", 75, 75), ("egfr", 40, 60), ("weight", 90, 90),
        ("hemoglobin", 12.4, 12.4),
    ],
)  # fmt: skip
def test_normal_value_is_the_nearest(key, value, nearest):
    assert normal_of(key, Sex.FEMALE).nearest(value) == nearest


def test_unknown_sex_takes_only_what_is_abnormal_in_both():
    assert normal_of("hemoglobin", Sex.UNKNOWN).low == 12.0
    assert normal_of("creatinine", Sex.UNKNOWN).high == 1.2
    assert normal_of("creatinine", Sex.FEMALE).high == 1.0


@pytest.mark.parametrize(
    ("probability", "usual", "said"),
    [
        (0.04, 0.012, ("4 de cada 100 personas como esta recibirán", "1 de cada 100.")),
        (0.0104, 0.0125, ("10 de cada 1000 personas como esta recibirán", "12 de cada 1000.")),
        (0.0131, 0.0292, ("13 de cada 1000 personas", "29 de cada 1000. Está por debajo de lo")),
        (0.3, 0.004, ("300 de cada 1000", "4 de cada 1000.")),
        (0.0001, 0.0002, ("menos de 1 de cada 1000 personas como esta recibirá ", "menos de 1")),
        (0.01, None, ("1 de cada 100 personas como esta recibirá el", "(mujer de 80 años).")),
    ],
)
def test_frequency_is_told_in_people(probability, usual, said):
    sentence = frequency_es(probability, usual, WOMAN, 365)
    assert sentence.startswith(said[0]) and said[1] in sentence and "en 12 meses" in sentence


@given(st.floats(0, 1), st.one_of(st.none(), st.floats(0, 1)))
def test_frequency_never_says_none_of_many_and_has_one_whole(probability, usual):
    sentence = frequency_es(probability, usual, WOMAN, 365)
    assert not re.search(r"\b0 de cada", sentence)
    assert len(set(re.findall(r"de cada (\d+)", sentence))) == 1


def test_wide_interval_decides_nothing_only_with_the_threshold_within():
    assert decides_nothing((0.003, 0.073))
    assert not decides_nothing((0.3, 0.95))
    assert not decides_nothing((0.0005, 0.02))
    assert not decides_nothing((0.01, 0.09))


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=30), st.floats(0, 60))
def test_threshold_for_gives_no_more_people_than_asked(probabilities, people):
    threshold = threshold_for(probabilities, people)
    given_people = people_a_month(probabilities, threshold)
    certain = people_a_month(probabilities, 1.0)  # nothing keeps out who has a probability of 1
    assert given_people <= max(people, certain)


def test_people_a_month_counts_those_without_estimate_as_people_of_the_list():
    assert people_a_month([0.05, 0.05, None, None], 0.03) == 1500 / 2 / 12
    assert people_a_month([], 0.03) == 0.0


def _sentences(rules, prefix=""):
    for key, value in rules.items():
        if isinstance(value, dict):
            yield from _sentences(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            yield f"{prefix}{key}", value


#: Templates of which ``n`` is two or more, by the code that fills them.
_PLURAL = {"sign.new_many", "sign.many", "sign.denied_many", "diagnosed.noted_many"}


def test_templates_agree_in_number():
    """Those that count in the plural are only used for two and more; months through a word."""
    for key, text in _sentences(templates()):
        counts = re.findall(r"\{n\} \w+", text)
        assert not counts or key in _PLURAL or key.startswith("suspected"), key
        if "meses" in text:  # filled with the look-back, never one month
            assert re.search(r"\{months\} meses", text), key
        assert not re.search(r"\(s\)|\(es\)|\(a\)|/a\b", text), key
        listed = key.split(".")[0] in (
            "sign",
            "condition",
            "drug",
            "measurement",
            "same",
            "missing",
        )
        assert not (listed and "; " in text), key  # the work list parts sentences by it
    assert TABLE.lookback_days > 60


def test_months_agree_in_number():
    assert [months_es(n) for n in (0, 1, 2)] == ["0 meses", "1 mes", "2 meses"]


def test_sentences_have_no_doubled_words_or_spaces():
    for (_, a), b in product(_sentences(templates()["sign"]), ("edemas", "disnea de esfuerzo")):
        text = a.format(
            name=b, names=b, n=2, last="12/03/2024", first="01/03/2024", since="marzo de 2024"
        )
        assert "  " not in text and not re.search(r"\b(\w+) \1\b", text)


@pytest.mark.parametrize(
    ("days_ago", "denied_ago", "is_reason"),
    [(300, None, True), (300, 30, False), (100, 30, True)],
)
def test_sign_denied_since_is_no_reason_after_some_months(
    timeline, note, days_ago, denied_ago, is_reason
):
    day = date(2024, 6, 30)
    notes = [note(day - timedelta(days_ago), "Crepitantes.", ("Crepitantes", "crackles", {}))]
    if denied_ago is not None:
        denied = ("crepitantes", "crackles", {"negated": True})
        notes.append(note(day - timedelta(denied_ago), "Sin crepitantes.", denied))
    (topic,) = [t for t in load_features().topics if "crackles" in t.concepts]
    last = day - timedelta(days_ago)
    assert is_denied_and_old(topic, last, timeline(day, notes)) is not is_reason
