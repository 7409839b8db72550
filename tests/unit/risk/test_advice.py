"""Advice is decided by what the record holds, and asks for nothing that stands there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import Evidence, Sex
from clinical_nlp.risk.advice import _data, advise, applied_rules
from clinical_nlp.risk.care import Care
from clinical_nlp.risk.conditions import KINDS, concepts_of
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.timeline import Doubt, Entry, Origin, Presence, Timeline, order_of

DAY = date(2024, 6, 30)
TABLE = load_features()
CONCEPTS = load_lexicon().concepts
RULES = {rule["key"]: rule for rule in _data()["rule"]}


def ago(days: int) -> date:
    return DAY - timedelta(days)


def entry(concept, days=30, value=None, **rest):
    """``entry("nt_probnp", 30, 640.0)``: in a note of its own, 30 days before the index."""
    day = None if days is None else ago(days)
    fields = {"presence": Presence.PRESENT, "origin": Origin.NOTE, **rest}
    source = fields.pop("source", f"note-{days}-{concept}")
    unit = CONCEPTS[concept].unit
    seen = Evidence(source, concept, day, fields.pop("start", 0), 5)
    return Entry(concept, day, day, evidence=seen, value=value, unit=unit, **fields)


#: What notes ask for, and results in words, as the timeline's context tells them.
CONTEXT = {
    "peptide_ordered": ("nt_probnp", Presence.UNCERTAIN),
    "echo_ordered": ("echocardiogram", Presence.UNCERTAIN),
    "peptide_in_words_high": ("nt_probnp", Presence.PRESENT),
    "peptide_in_words_low": ("nt_probnp", Presence.ABSENT),
}


def line(*entries, age=80, doubts=(), notes=(30,)):
    dated = sorted((e for e in entries if e.day is not None), key=order_of)
    return Timeline(
        "p1",
        DAY,
        Sex.FEMALE,
        birth_date=date(DAY.year - age, 1, 1),
        entries=tuple(dated),
        undated=tuple(e for e in entries if e.day is None),
        doubts=tuple(doubts),
        note_days=tuple(sorted(ago(d) for d in notes)),
    )


def care(**days):
    """``care(palliative=20, echo_ordered=9)``: met, or asked for, so long before the index."""
    return days


def applied(timeline, days=None, **situation):
    days = days or {}
    topics = Care({key: ago(n) for key, n in days.items() if key not in CONTEXT})
    context = [
        entry(CONTEXT[key][0], n, presence=CONTEXT[key][1])
        for key, n in days.items()
        if key in CONTEXT
    ]
    timeline = replace(timeline, context=tuple(context))
    given = applied_rules(timeline, topics, TABLE, CONCEPTS, **situation)
    texts = tuple(advice.text for advice in given[: _data()["max_sentences"]])
    assert advise(timeline, topics, TABLE, CONCEPTS, **situation) == texts
    return given


def said(timeline, days=None, **situation):
    return [a.text for a in applied(timeline, days, **situation)][: _data()["max_sentences"]]


def rules(timeline, days=None, **situation):
    return [a.rule for a in applied(timeline, days, **situation)]


PAST = {"presence": Presence.PAST}
DENIED = {"presence": Presence.ABSENT}
ORTHOPNEA = entry("orthopnea", 5)
SIGN = entry("dyspnea_on_exertion")
NT = "nt_probnp"
HIGH, LIKELY, GREY, LOW = (entry(NT, 40, v) for v in (3000.0, 700.0, 300.0, 80.0))
ECHO = entry("echocardiogram", 20)
CITED = entry("echocardiogram", 20, **PAST)

#: A hand-made patient for each rule: entries, care, and the situation where it is another.
PATIENTS = {
    "palliative": ([SIGN], care(palliative=20), {}),
    "in_hospital": ([SIGN, HIGH], care(in_hospital=2), {}),
    "dependent": ([SIGN], care(dependent=100), {}),
    "acute_alarm": ([entry("dyspnea_at_rest", 2)], None, {}),
    "lvef_reduced_followed": ([entry("lvef", 50, 35.0)], care(cardiology_followed=9), {}),
    "lvef_reduced_referred": ([entry("lvef", 50, 35.0)], care(cardiology_referred=9), {}),
    "lvef_reduced": ([entry("lvef", 50, 35.0)], None, {"asks": False}),
    "lvef_mildly_reduced_followed": ([entry("lvef", 9, 45.0)], care(cardiology_followed=9), {}),
    "lvef_mildly_reduced_referred": ([entry("lvef", 9, 45.0)], care(cardiology_referred=9), {}),
    "lvef_mildly_reduced": ([entry("lvef", 9, 45.0)], None, {}),
    "both_done_followed": ([ECHO, LIKELY], care(cardiology_followed=9), {}),
    "both_done_referred": ([ECHO, LIKELY], care(cardiology_referred=9), {}),
    "both_done_systolic": ([ECHO, LIKELY, entry("lv_systolic_dysfunction")], None, {}),
    "both_done_structural": ([ECHO, LIKELY, entry("left_atrial_dilatation")], None, {}),
    "both_done_high": ([ECHO, HIGH], None, {}),
    "both_done_other_cause": ([ECHO, LIKELY, entry("atrial_fibrillation")], None, {}),
    "both_done": ([ECHO, LIKELY], None, {}),
    "high_echo_ordered": ([HIGH], care(echo_ordered=9), {}),
    "high_echo_cited": ([HIGH, CITED], None, {}),
    "high": ([HIGH], None, {"asks": False}),
    "likely_echo_ordered": ([LIKELY], care(echo_ordered=9), {}),
    "likely_echo_cited": ([LIKELY, CITED], None, {}),
    "likely": ([LIKELY], None, {}),
    "in_words_high_echo_standing": ([ECHO], care(peptide_in_words_high=9), {}),
    "in_words_high_echo_ordered": ([], care(peptide_in_words_high=9, echo_ordered=9), {}),
    "in_words_high": ([], care(peptide_in_words_high=9), {}),
    "in_words_high_echo_cited": ([CITED], care(peptide_in_words_high=9), {}),
    "grey_echo_ordered": ([GREY], care(echo_ordered=9), {}),
    "grey_signs": ([GREY, SIGN], None, {}),
    "grey_echo_cited": ([GREY, SIGN, CITED], None, {}),
    "grey": ([GREY], None, {}),
    "low_other_cause": (
        [LOW, entry("copd"), entry("dyspnea", 400), entry("dyspnea", 50)],
        None,
        {},
    ),
    "low": ([LOW], None, {}),
    "in_words_low": ([], care(peptide_in_words_low=9), {}),
    "outdated": ([LOW, entry("orthopnea", 9)], None, {}),
    "both_ordered": ([], care(peptide_ordered=9, echo_ordered=9), {}),
    "peptide_ordered": ([], care(peptide_ordered=9), {}),
    "peptide_doubtful": ([entry(NT, None, 640.0)], None, {}),
    "raised_long_ago": ([entry(NT, 500, 900.0)], None, {}),
    "echo_first_structural": ([ECHO, SIGN, entry("lv_hypertrophy")], None, {}),
    "echo_first": ([ECHO, SIGN], None, {}),
    "followed_no_peptide": ([SIGN], care(cardiology_followed=9), {}),
    "echo_ordered_no_peptide": ([], care(echo_ordered=9), {}),
    "measure_again": ([SIGN, entry(NT, 500, 90.0)], None, {}),
    "measure": ([SIGN], None, {}),
    "measure_suspected": ([], None, {"suspected": True, "asks": False}),
    "ask_first": ([], None, {}),
    "see_first": ([], None, {"notes": (500,)}),
    "reading_raised": ([LIKELY, entry("egfr", 40, 38.0)], None, {}),
    "reading_low": ([LOW, entry("bmi", 40, 38.0)], None, {}),
    "pressure_severe": ([entry("systolic_bp", 9, 190.0)], None, {}),
    "ecg": ([SIGN], None, {}),
    "referral": ([SIGN], care(cardiology_referred=9), {}),
    "weakening_drug": ([entry("verapamil"), entry("lvef", 9, 35.0)], None, {}),
    "fluid_retaining": ([entry("ibuprofen")], None, {}),
    "pressure_high": ([entry("systolic_bp", 9, 150.0)], None, {}),
    "sglt2": ([entry("diabetes_type_2"), entry("chronic_kidney_disease")], None, {}),
}


def test_every_rule_has_a_patient_and_a_source():
    assert set(PATIENTS) == set(RULES)
    assert all(rule["source"] for rule in RULES.values())


@pytest.mark.parametrize("key", PATIENTS)
def test_rule_speaks_for_its_patient(key):
    entries, given_care, situation = PATIENTS[key]
    situation = dict(situation)
    timeline = line(*entries, notes=situation.pop("notes", (30,)))
    assert key in rules(timeline, given_care, **situation)
    sentences = said(timeline, given_care, **situation)
    assert 1 <= len(sentences) <= _data()["max_sentences"]
    for sentence in sentences:
        assert sentence[0].isupper() and sentence.endswith(".") and not set("{;") & set(sentence)


def test_conditions_are_of_a_kind_and_name_catalogue_concepts():
    for name, row in _data()["condition"].items():
        assert row["kind"] in KINDS, name
        assert concepts_of(row, TABLE) <= CONCEPTS.keys(), name


def test_rules_use_known_conditions_and_every_condition_is_used():
    conditions = _data()["condition"]
    named = {name.removeprefix("not ") for rule in RULES.values() for name in rule["when"]}
    for row in conditions.values():
        inner = row.get("of", ()) if row["kind"] in ("any", "all") else ()
        named |= set(inner)
        named |= {n.removeprefix("not ") for item in row.get("items", ()) for n in item["when"]}
    assert named == set(conditions)


def test_typical_sign_asks_for_the_peptide_whatever_the_risk():
    """Orthopnoea of last month in a patient below the work list's threshold."""
    told = said(line(entry("orthopnea", 30)), asks=False)
    assert any("medir NT-proBNP" in text for text in told)
    assert not any("NT-proBNP" in text for text in said(line(entry("cough", 30)), asks=False))
    assert not any("NT-proBNP" in t for t in said(line(entry("orthopnea", 400)), asks=False))


# --- what a clinician asked for -----------------------------------------------------------


def test_nt_probnp_that_stands_raised_leads_to_echocardiogram_not_to_nt_probnp():
    (first, *_) = said(line(SIGN, entry(NT, 40, 640.0), age=80))
    assert first == (
        "NT-proBNP 640 pg/mL (21/05/2024), por encima de 500 pg/mL (límite a su edad): "
        "ecocardiograma en 6 semanas."
    )


@pytest.mark.parametrize(("age", "expected"), [(45, "likely"), (60, "likely"), (80, "grey_signs")])
def test_limits_follow_age(age, expected):
    assert expected in rules(line(SIGN, entry(NT, 40, 300.0), age=age))


@pytest.mark.parametrize("age", [45, 60, 80])
def test_below_125_is_ruled_out_at_any_age(age):
    (first, *_) = said(line(entry(NT, 40, 125.0, comparator="<"), age=age))
    assert first.startswith("NT-proBNP <125 pg/mL (21/05/2024), por debajo de 125 pg/mL")


def test_over_its_upper_limit_is_very_high():
    (first, *_) = said(line(entry(NT, 40, 35000.0, comparator=">")))
    assert first.startswith("NT-proBNP >35000 pg/mL (21/05/2024), muy elevado: ecocardiograma")


def test_bnp_has_limits_of_its_own():
    assert "low" in rules(line(entry("bnp", 40, 22.0)))
    assert "likely" in rules(line(entry("bnp", 40, 150.0)))


def test_bnp_says_nothing_under_sacubitril():
    drug = entry("sacubitril_valsartan", 40)
    assert "likely" not in rules(line(entry("bnp", 40, 150.0), drug))
    assert "likely" in rules(line(entry(NT, 40, 700.0), drug))


def test_newest_value_of_a_note_is_the_one_it_names_first():
    both = [
        entry(NT, 40, 780.0, source="n", start=10),
        entry(NT, 40, 1940.0, source="n", start=40),
    ]
    assert said(line(*both))[0].startswith("NT-proBNP 780 pg/mL")


def test_low_value_older_than_half_a_year_is_measured_again():
    assert "measure_again" in rules(line(SIGN, entry(NT, 200, 80.0)))


def test_low_value_stands_for_symptoms_that_were_there_before():
    before = entry("dyspnea", 300)
    assert "outdated" not in rules(line(before, LOW, SIGN))
    assert "outdated" in rules(line(LOW, SIGN))


def test_order_without_result_is_chased_and_not_ordered_again():
    (first, *_) = said(line(SIGN), care(peptide_ordered=9))
    assert "comprobar si se hizo antes de pedirlo otra vez" in first
    assert "measure" not in rules(line(SIGN), care(peptide_ordered=9))


def test_result_after_the_order_answers_it():
    assert "likely" in rules(line(LIKELY), care(peptide_ordered=60))
    assert "both_done" in rules(line(ECHO, LIKELY), care(echo_ordered=60))


def test_lvef_of_an_earlier_echocardiogram_does_not_make_it_new():
    cited = entry("echocardiogram", 20, source="n", start=10, **PAST)
    lvef = entry("lvef", 20, 61.0, source="n", start=30)
    assert "likely_echo_cited" in rules(line(LIKELY, cited, lvef))


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ({"value": 40.0}, "lvef_reduced"),
        ({"value": 41.0}, "lvef_mildly_reduced"),
        ({"value": 32.5, "low": 30.0, "high": 35.0}, "lvef_reduced"),
        ({"value": 47.5, "low": 45.0, "high": 50.0}, "lvef_mildly_reduced"),
        ({"value": 50.0}, None),
        ({"value": 40.0, "comparator": ">"}, None),
        ({"value": 55.0, "comparator": ">"}, None),
        ({"value": 35.0, "comparator": "<"}, "lvef_reduced"),
    ],
)
def test_lvef_classes(rest, expected):
    spoken = {r for r in rules(line(entry("lvef", 20, **rest))) if r.startswith("lvef")}
    assert spoken == ({expected} if expected else set())


def test_nothing_is_asked_of_a_low_risk_without_a_finding():
    assert rules(line(SIGN), asks=False) == []
    assert "likely" in rules(line(LIKELY), asks=False)


def test_palliative_care_and_stay_silence_everything_else():
    everything = line(SIGN, HIGH, entry("systolic_bp", 9, 190.0), entry("ibuprofen"))
    assert rules(everything, care(palliative=20)) == ["palliative"]
    assert rules(everything, care(in_hospital=1)) == ["in_hospital"]


def test_followed_by_cardiology_is_referred_to_nobody():
    for entries in ([entry("lvef", 9, 35.0)], [ECHO, LIKELY], [SIGN]):
        for sentence in said(line(*entries), care(cardiology_followed=9)):
            assert "derivar" not in sentence


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (
            [entry("orthopnea", 5), entry("body_weight", 12, 70.0), entry("body_weight", 3, 73.0)],
            True,
        ),
        ([ORTHOPNEA, entry("pitting_edema", 5)], True),
        ([entry("dyspnea", 5), entry("oxygen_saturation", 5, 87.0)], True),
        ([ORTHOPNEA], False),
        ([entry("orthopnea", 60), entry("pitting_edema", 60)], False),
        (
            [entry("dyspnea_at_rest", 5), entry("dyspnea_at_rest", 2, presence=Presence.ABSENT)],
            False,
        ),
    ],
)
def test_acute_alarm(entries, expected):
    given = rules(line(*entries))
    assert ("acute_alarm" in given) is expected
    assert not expected or given[0] == "acute_alarm"


def test_sign_denied_since_is_none_and_the_newest_one_is_named():
    denied = entry("dyspnea", 10, **DENIED)
    assert "measure" not in rules(line(SIGN, denied))
    old, new = entry("orthopnea", 200), entry("dyspnea_on_exertion", 20)
    assert said(line(old, new))[0].startswith("Disnea de esfuerzo (10/06/2024)")
    assert said(line(entry("orthopnea", 25), new))[0].startswith("Ortopnea (05/06/2024)")


def test_drug_of_a_note_long_ago_or_stopped_is_not_reviewed():
    assert "fluid_retaining" in rules(line(entry("ibuprofen", 30)))
    assert "fluid_retaining" not in rules(line(entry("ibuprofen", 200)))
    stopped = entry("ibuprofen", 10, **PAST)
    assert "fluid_retaining" not in rules(line(entry("ibuprofen", 30), stopped))
    prescribed = entry("ibuprofen", 200, origin=Origin.STRUCTURED)
    assert "fluid_retaining" in rules(line(prescribed))


def test_pressure_is_the_last_one_by_either_of_the_two():
    fine = [entry("systolic_bp", 90, 160.0), entry("systolic_bp", 9, 128.0)]
    assert not {"pressure_high", "pressure_severe"} & set(rules(line(*fine)))
    low = [entry("systolic_bp", 9, 130.0), entry("diastolic_bp", 9, 95.0)]
    assert any("130/95 mmHg" in sentence for sentence in said(line(*low)))


def test_doubtful_value_is_checked_before_it_is_repeated():
    from clinical_nlp.risk.plausibility import Cause

    doubt = Doubt(entry(NT, 40, 90000.0), Cause("impossible"))
    assert "peptide_doubtful" in rules(line(SIGN, doubts=[doubt]))


def test_obesity_and_rhythm_are_noted_for_confirmation():
    raised = said(line(LIKELY, entry("atrial_fibrillation"), entry("obesity")))
    assert any("la fibrilación auricular lo eleva y la obesidad lo baja" in s for s in raised)
    assert any("pendiente de confirmación clínica" in s for s in raised)


# --- properties over random patients --------------------------------------------------------

_AGES = st.integers(0, 1000)
_NUMBER = st.builds(
    entry,
    st.sampled_from([NT, "bnp"]),
    _AGES,
    st.floats(5, 20_000),
    comparator=st.sampled_from([None, "<", ">"]),
)
_LVEF = st.builds(entry, st.just("lvef"), _AGES, st.floats(15, 75))
_MENTION = st.builds(
    entry,
    st.sampled_from(
        [
            "echocardiogram",
            "ecg",
            "dyspnea",
            "orthopnea",
            "pitting_edema",
            "atrial_fibrillation",
            "obesity",
            "copd",
            "ibuprofen",
            "left_atrial_dilatation",
        ]
    ),
    _AGES,
    presence=st.sampled_from([Presence.PRESENT, Presence.PAST, Presence.ABSENT]),
)
_CARE = st.dictionaries(
    st.sampled_from(
        [
            "peptide_ordered",
            "echo_ordered",
            "ecg_ordered",
            "cardiology_followed",
            "dependent",
            "cardiology_referred",
            "peptide_in_words_low",
            "peptide_in_words_high",
        ]
    ),
    st.integers(0, 300),
    max_size=4,
)
_PATIENT = st.lists(st.one_of(_NUMBER, _LVEF, _MENTION), max_size=8)
_SIGNS = concepts_of(_data()["condition"]["sign"], TABLE)


def _low_stands(value, timeline):
    """Whether nothing suggestive began after a low value of the last half year."""
    if value.day <= ago(180):
        return False
    days = [e.day for e in timeline.of(_SIGNS) if e.presence is Presence.PRESENT]
    began = any(day > value.day for day in days)
    return not began or any(value.day - timedelta(365) < day <= value.day for day in days)


@given(entries=_PATIENT, days=_CARE, age=st.integers(40, 100), suspected=st.booleans())
def test_advice_never_asks_for_a_test_that_stands(entries, days, age, suspected):
    timeline = line(*entries, age=age)
    asked = {advice.asks for advice in applied(timeline, days, suspected=suspected)}
    peptides = [e for e in timeline.of(frozenset([NT, "bnp"])) if e.day > ago(365)]
    if "peptide" in asked and peptides:
        newest = max(e.day for e in peptides)
        values = [e for e in peptides if e.day == newest]
        low = [e for e in values if e.comparator != ">" and e.value < 130]
        assert low, "a raised value stands"
        assert not any(_low_stands(e, timeline) for e in low)
    affirmed = [e for e in timeline.entries if e.presence is not Presence.ABSENT]
    if "echo" in asked:
        assert not any(
            e.concept in ("lvef", "echocardiogram") and e.day > ago(365) for e in affirmed
        )
        assert "echo_ordered" not in days
    if "ecg" in asked:
        assert not any(e.concept == "ecg" and e.day > ago(365) for e in affirmed)
        assert "ecg_ordered" not in days
    if "peptide" in asked and not peptides:
        assert "peptide_ordered" not in days or _answered(timeline, days, "peptide_ordered")


def _answered(timeline, days, order):
    told = [days[t] for t in ("peptide_in_words_low", "peptide_in_words_high") if t in days]
    return any(n <= days[order] for n in told)


@given(entries=_PATIENT, days=_CARE, age=st.integers(40, 100), suspected=st.booleans())
def test_advice_is_short_whole_and_says_nothing_twice(entries, days, age, suspected):
    sentences = said(line(*entries, age=age), days, suspected=suspected)
    assert len(sentences) <= _data()["max_sentences"]
    assert len(set(sentences)) == len(sentences)
    assert all(s[0].isupper() and s.endswith(".") and "{" not in s for s in sentences)
