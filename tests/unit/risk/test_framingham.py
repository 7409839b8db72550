"""The Framingham criteria on hand-made timelines."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinical_nlp.risk.laterality import one_sided
from clinical_nlp.risk.published import framingham
from clinical_nlp.risk.published.framingham import _criteria, _data

DAY = date(2024, 6, 1)


def _marks(*concepts):
    return [(key, key, {}) for key in concepts]


def _noted(note, days_ago, *concepts, **flags):
    text = " ".join(concepts)
    return note(DAY - timedelta(days_ago), text, *[(key, key, flags) for key in concepts])


def _value(note, days_ago, concept, value):
    return note(DAY - timedelta(days_ago), f"{value}", (f"{value}", concept, {"value": value}))


@pytest.mark.parametrize(
    ("concepts", "met"),
    [
        (["orthopnea", "paroxysmal_nocturnal_dyspnea"], False),  # one criterion
        (["orthopnea", "crackles"], True),
        (["crackles", "ankle_edema", "lower_limb_edema"], False),  # oedema counts once
        (["crackles", "ankle_edema", "dyspnea_on_exertion"], True),
        (["ankle_edema", "dyspnea_on_exertion", "nocturnal_cough"], False),
        (["crackles", "ankle_edema", "tachycardia"], False),  # "taquicardia" is not 120
    ],
)
def test_framingham_counts_each_criterion_once(timeline, note, lexicon, concepts, met):
    line = timeline(DAY, [note(DAY, " ".join(concepts), *_marks(*concepts))])
    assert framingham(line, lexicon.concepts).met is met


def test_framingham_ignores_denied_and_old_signs(timeline, note, lexicon):
    notes = [_noted(note, 0, "crackles", negated=True), _noted(note, 400, "orthopnea")]
    result = framingham(timeline(DAY, notes), lexicon.concepts)
    assert not result.major and not result.minor


@pytest.mark.parametrize(("apart", "met"), [(0, True), (29, True), (30, False), (200, False)])
def test_framingham_criteria_must_be_present_at_the_same_time(timeline, note, lexicon, apart, met):
    notes = [_noted(note, 10, "orthopnea"), _noted(note, 10 + apart, "crackles")]
    result = framingham(timeline(DAY, notes), lexicon.concepts)
    assert result.met is met
    assert len(result.major) == (2 if met else 1)


def test_framingham_takes_the_window_with_most_criteria(timeline, note, lexicon):
    notes = [
        _noted(note, 5, "orthopnea"),
        _noted(note, 200, "crackles", "raised_jvp", "ankle_edema"),
    ]
    result = framingham(timeline(DAY, notes), lexicon.concepts)
    assert sorted(result.major) == ["neck_veins", "rales"] and list(result.minor) == ["edema"]


@pytest.mark.parametrize(("rate", "minor"), [(119.0, []), (120.0, ["tachycardia"])])
def test_framingham_heart_rate_from_120_is_minor_criterion(timeline, note, lexicon, rate, minor):
    seen, slow = _value(note, 0, "heart_rate", rate), _value(note, 1, "heart_rate", 84.0)
    result = framingham(timeline(DAY, [seen, slow]), lexicon.concepts)
    assert list(result.minor) == minor
    if minor:
        assert [e.source for e in result.minor["tachycardia"]] == [seen.note.key]


@pytest.mark.parametrize(
    ("disease", "sign", "criterion"),
    [
        ("copd", "dyspnea_on_exertion", "exertional_dyspnea"),
        ("copd", "nocturnal_cough", "night_cough"),
        ("ascites", "pleural_effusion", "pleural_effusion"),
        ("venous_insufficiency", "ankle_edema", "edema"),
    ],
)
def test_framingham_minor_criterion_with_another_cause_does_not_count(
    timeline, note, lexicon, disease, sign, criterion
):
    notes = [_noted(note, 700, disease), _noted(note, 3, sign)]
    result = framingham(timeline(DAY, notes), lexicon.concepts)
    assert not result.minor
    assert result.explained == {criterion: disease}
    denied = [_noted(note, 700, disease, negated=True), _noted(note, 3, sign)]
    assert list(framingham(timeline(DAY, denied), lexicon.concepts).minor) == [criterion]


def test_framingham_major_criterion_counts_beside_lung_disease(timeline, note, lexicon):
    line = timeline(DAY, [_noted(note, 3, "copd", "crackles", "orthopnea")])
    assert framingham(line, lexicon.concepts).met


@pytest.mark.parametrize(
    ("before", "after", "days", "drug_ago", "counts"),
    [
        (80.0, 75.5, 5, 12, True),
        (80.0, 75.6, 5, 12, False),  # 4.4 kg
        (80.0, 75.0, 6, 12, False),  # in six days
        (80.0, 75.0, 5, None, False),  # without treatment
        (80.0, 75.0, 5, 300, False),  # named long before
        (75.0, 80.0, 5, 12, False),  # gained
    ],
)
def test_framingham_weight_loss_counts_in_response_to_treatment(
    timeline, note, lexicon, before, after, days, drug_ago, counts
):
    notes = [_value(note, 2 + days, "body_weight", before), _value(note, 2, "body_weight", after)]
    if drug_ago is not None:
        notes.append(_noted(note, drug_ago, "furosemide"))
    result = framingham(timeline(DAY, notes), lexicon.concepts)
    assert list(result.major) == (["weight_loss_under_treatment"] if counts else [])


def test_framingham_weight_loss_under_an_old_prescription_counts(timeline, note, event, lexicon):
    weights = [_value(note, 6, "body_weight", 80.0), _value(note, 2, "body_weight", 75.0)]
    drug = event("medication", "atc", "C03CA01", date(2020, 1, 1))
    assert framingham(timeline(DAY, weights, [drug]), lexicon.concepts).major


def test_framingham_every_catalogue_criterion_has_group(lexicon):
    marked = {key for key, c in lexicon.concepts.items() if c.framingham != "none"}
    assert marked <= _criteria().keys()


def test_framingham_data_names_catalogue_concepts(lexicon):
    data = _data()
    named = [key for keys in data["criteria"].values() for key in keys]
    named += [key for keys in data["explained_by"].values() for key in keys]
    named += data["weight_loss"]["treatment"]
    assert set(named) <= lexicon.concepts.keys()
    assert data["explained_by"].keys() <= data["criteria"].keys()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Edema en pierna izquierda.", True),
        ("Edema MID con fóvea", True),
        ("Edema unilateral", True),
        ("TVP en poplítea. Edema y calor en la pierna", True),
        ("Edema de la cama dreta", True),
        ("Edemas bimaleolares", False),
        ("Edema de ambas piernas, más la izquierda", False),
        ("Edema MMII de predominio izquierdo", False),
        ("Edema MII > MID", False),
        ("Edemas en tobillos. Dolor de rodilla derecha", False),
        ("Edemas en tobillos, no signos de TVP", False),
        ("TVP en 2005. Edemas en MMII", False),
        ("Edema con fóvea", False),
    ],
)
def test_one_sided_is_read_from_the_words_around(text, expected):
    start = text.index("Edema")
    assert one_sided(text, start, start + 5, "lower_limb_edema") is expected
    assert not one_sided(text, start, start + 5, "crackles")


def test_framingham_swelling_of_one_leg_does_not_count(timeline, note, lexicon):
    one = note(DAY, "edema en pierna izquierda", ("edema", "lower_limb_edema", {}))
    result = framingham(timeline(DAY, [one]), lexicon.concepts)
    assert not result.minor and result.explained == {"edema": "one_sided"}
    both = note(DAY, "edema bimaleolar", ("edema", "ankle_edema", {}))
    result = framingham(timeline(DAY, [one, both]), lexicon.concepts)
    assert list(result.minor) == ["edema"] and not result.explained
