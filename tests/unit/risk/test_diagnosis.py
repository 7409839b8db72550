from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from clinical_nlp.records import Finding
from clinical_nlp.risk.diagnosis import codes_heart_failure, diagnosis_rule, find_diagnosis

DAY = date(2024, 6, 1)
FIRST, SECOND = date(2024, 1, 10), date(2024, 3, 5)
HF = ("insuficiencia cardíaca", "heart_failure", {})
IC = ("IC", "heart_failure", {})


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        ("icd10", "I50.22", True),
        ("icd10", "I11.0", True),
        ("icd10", "I13.2", True),
        ("icd10", "I11.9", False),
        ("icd10", "I51.7", False),
        ("icd10", "J81.0", False),
        ("urn:oid:2.16.724.4.21.5.29", "i50.9", True),
        ("icpc2", "K77", True),
        ("icpc2", "K84", False),
        ("snomed", "88805009", True),
        ("snomed", "134401001", False),
        ("http://hl7.org/fhir/sid/icd-9-cm", "428.0", True),
        ("http://example.org/local", "I50.9", False),
    ],
)
def test_codes_heart_failure_accepts_listed_codes_only(event, system, code, expected):
    assert codes_heart_failure(event("condition", system, code)) is expected


@pytest.mark.parametrize("doubt", ["negated", "uncertain"])
def test_codes_heart_failure_doubtful_event_is_rejected(event, doubt):
    assert not codes_heart_failure(event("condition", "icd10", "I50.9", **{doubt: True}))


def test_codes_heart_failure_accepts_codes_of_every_naming_concept(lexicon, event):
    """The catalogue and the rule agree on what heart failure is."""
    for key in diagnosis_rule()["notes"]["named"]:
        for system, code in lexicon.concepts[key].codes.items():
            if system in ("snomed", "icd10", "icpc2"):
                assert codes_heart_failure(event("condition", system, code)), (key, system, code)


def test_find_diagnosis_one_code_confirms(timeline, event):
    found = find_diagnosis(timeline(DAY, events=[event("condition", "icd10", "I50.9")]))
    assert found.confirmed and found.since is None


def test_find_diagnosis_code_recorded_later_is_ignored(timeline, event):
    late = event("condition", "icd10", "I50.9", FIRST, recorded=date(2024, 9, 1))
    assert not find_diagnosis(timeline(DAY, events=[late])).confirmed


@pytest.mark.parametrize(
    ("first", "second", "confirmed"),
    [
        ([HF], None, False),
        ([HF], [HF], True),
        ([IC], [IC], False),  # an abbreviation alone never suffices
        ([HF], [IC], True),
        ([("insuficiencia cardíaca", "heart_failure", {"uncertain": True})], [HF], False),
        ([("insuficiencia cardíaca", "heart_failure", {"family": True})], [HF], False),
        ([("insuficiencia cardíaca", "heart_failure", {"historical": True})], [HF], True),
        ([HF], [("insuficiencia cardíaca", "heart_failure", {"negated": True})], False),
        ([("insuficiencia cardíaca", "heart_failure", {"negated": True})], [HF], False),
        ([HF], [("35", "lvef", {"value": 35.0, "unit": "%"})], True),
        ([HF], [("60", "lvef", {"value": 60.0, "unit": "%"})], False),
        ([IC], [("35", "lvef", {"value": 35.0, "unit": "%"})], True),
        ([IC], [("60", "lvef", {"value": 60.0, "unit": "%"})], False),
        ([IC], [("NYHA II", "nyha_2", {})], True),
        ([IC], [("furosemida", "furosemide", {})], False),
        ([HF], [("NYHA II", "nyha_2", {})], True),
        ([HF], [("furosemida", "furosemide", {})], False),
        ([HF], [("furosemida", "furosemide", {}), ("bisoprolol", "bisoprolol", {})], True),
        ([], [("disfunción diastólica", "diastolic_dysfunction", {})], False),
    ],
)
def test_find_diagnosis_by_notes_needs_support(timeline, note, first, second, confirmed):
    text = (
        "insuficiencia cardíaca. IC. 35. 60. NYHA II. furosemida. bisoprolol. disfunción diastólica"
    )
    other = (
        "Acude a control de su insuficiencia cardíaca, la IC de siempre; la FEVI era de 35 y de "
        "60, está en NYHA II, toma furosemida y bisoprolol y tiene disfunción diastólica"
    )
    notes = [note(FIRST, text, *first)]
    if second is not None:
        notes.append(note(SECOND, other, *second))
    found = find_diagnosis(timeline(DAY, notes))
    assert found.confirmed is confirmed
    if not confirmed and HF in first:
        assert found.unconfirmed_mention is not None


def test_find_diagnosis_later_denial_overrides_notes_but_not_codes(timeline, note, event):
    denial = note(
        date(2024, 5, 1),
        "Se descarta insuficiencia cardíaca.",
        ("insuficiencia cardíaca", "heart_failure", {"negated": True}),
    )
    named = [
        note(FIRST, "insuficiencia cardíaca", HF),
        note(SECOND, "con insuficiencia cardíaca", HF),
    ]
    assert find_diagnosis(timeline(DAY, named)).confirmed
    assert not find_diagnosis(timeline(DAY, [*named, denial])).confirmed
    code = event("condition", "icd10", "I50.9", FIRST)
    assert find_diagnosis(timeline(DAY, [*named, denial], [code])).confirmed


@pytest.mark.parametrize(
    ("marks", "confirmed"),
    [
        ([("TRC-D", "crt_device", {})], True),
        ([("TRC", "crt_device", {})], False),  # capillary refill time
        ([("sacubitrilo", "sacubitril_valsartan", {})], True),
        ([("sacubitrilo", "sacubitril_valsartan", {"hypothetical": True})], False),
        # The drug of the relative of whom the note tells.
        ([("sacubitrilo", "sacubitril_valsartan", {}),
          ("IC", "heart_failure", {"family": True})], False),
        ([("furosemida", "furosemide", {}), ("espironolactona", "spironolactone", {}),
          ("carvedilol", "carvedilol", {}), ("Jardiance", "empagliflozin", {})], True),
        ([("furosemida", "furosemide", {}), ("espironolactona", "spironolactone", {}),
          ("carvedilol", "carvedilol", {}), ("Jardiance", "empagliflozin", {}),
          ("diabetes", "diabetes_type_2", {})], False),
        ([("furosemida", "furosemide", {}), ("espironolactona", "spironolactone", {}),
          ("carvedilol", "carvedilol", {})], False),  # cirrhosis is treated so
        ([("30", "lvef", {"value": 30.0, "unit": "%"}), ("carvedilol", "carvedilol", {}),
          ("espironolactona", "spironolactone", {})], True),
        ([("30", "lvef", {"value": 30.0, "unit": "%"})], False),
    ],
)  # fmt: skip
def test_find_diagnosis_treatment_that_nothing_else_explains(timeline, note, marks, confirmed):
    text = (
        "TRC-D. TRC. sacubitrilo. IC. furosemida espironolactona carvedilol Jardiance diabetes 30"
    )
    found = find_diagnosis(timeline(DAY, [note(FIRST, text, *marks)]))
    assert found.confirmed is confirmed
    assert bool(found.treated) is confirmed


def test_find_diagnosis_programme_confirms_and_a_referral_does_not(timeline, note):
    def confirmed(text):
        return find_diagnosis(timeline(DAY, [note(FIRST, text)])).confirmed

    assert confirmed("Seguimiento en programa de insuficiencia cardíaca.")
    assert not confirmed("Derivo al programa de insuficiencia cardíaca.")


@pytest.mark.parametrize(
    ("text", "confirmed"),
    [
        ("Con insuficiencia cardíaca en NYHA II. Se descarta insuficiencia cardíaca.", False),
        ("Con insuficiencia cardíaca en NYHA II. Sin signos de insuficiencia cardíaca.", True),
    ],
)
def test_find_diagnosis_denial_further_down_in_the_note(timeline, note, text, confirmed):
    made = note(FIRST, text, HF, ("NYHA II", "nyha_2", {}))
    start = text.rindex("insuficiencia cardíaca")
    words = made.findings[0].text
    denial = Finding(start, start + len(words), words, "heart_failure", negated=True)
    line = timeline(DAY, [replace(made, findings=(*made.findings, denial))])
    assert find_diagnosis(line).confirmed is confirmed
