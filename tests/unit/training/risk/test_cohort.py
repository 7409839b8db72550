from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.errors import UsageError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import (
    CodedEvent,
    Coding,
    EventKind,
    Finding,
    Note,
    NoteFindings,
    PatientRecord,
)
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.risk.cohort import (
    Example,
    censor,
    landmark_examples,
    sampling_weight,
)
from clinical_nlp.training.risk.follow_up import apply_ipcw
from clinical_nlp.training.risk.recipe import CohortRecipe, Recipe, SplitRecipe
from clinical_nlp.training.risk.split import part_of

FIRST, LAST = date(2018, 1, 1), date(2023, 12, 31)
RECIPE = CohortRecipe(
    simulated_patients=1, simulation_seed=1, gap_days=30, horizon_days=365,
    history_days=365, step_days=365, min_age=40, controls_share=0.25,
)  # fmt: skip


def contact(day: date) -> CodedEvent:
    coding = (Coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB"),)
    return CodedEvent(EventKind.ENCOUNTER, f"Encounter/{day}", coding, day)


def patient(
    diagnosed: date | None = None,
    recorded: date | None = None,
    seen: tuple[date, ...] = tuple(date(year, 1, 10) for year in range(2018, 2024)),
    **rest,
) -> PatientRecord:
    def condition(code: str, start: date, entered: date | None) -> CodedEvent:
        coding = (Coding("http://hl7.org/fhir/sid/icd-10", code),)
        return CodedEvent(EventKind.CONDITION, f"Condition/{code}", coding, start, recorded=entered)

    events = [condition("I10", date(2017, 1, 1), None), *map(contact, seen)]
    if diagnosed is not None:
        events.append(condition("I50.9", diagnosed, recorded))
    return PatientRecord(
        "p1", birth_date=rest.pop("birth_date", date(1950, 1, 1)), events=tuple(events), **rest
    )


def cut(record: PatientRecord, notes=(), recipe=RECIPE):
    left_out: Counter[str] = Counter()
    whole = build_timeline(record, notes, load_lexicon(), LAST)
    return list(landmark_examples(record, whole, FIRST, LAST, recipe, 1.0, left_out)), left_out


def naming(*days: date) -> tuple[NoteFindings, ...]:
    """Notes that name heart failure in full, each in its own words: a copy names nothing."""
    name = "Insuficiencia cardíaca"
    examples = (Finding(0, 22, name, "heart_failure"),)
    return tuple(
        NoteFindings(
            Note(
                f"DocumentReference/{day}",
                "p1",
                f"{name}, visita {number}.",
                datetime(day.year, day.month, day.day),
            ),
            examples,
        )
        for number, day in enumerate(days)
    )


def test_landmark_examples_windows_end_before_the_data_do():
    examples, left_out = cut(patient())
    assert examples and not left_out
    for example in examples:
        index = example.timeline.as_of
        assert index >= FIRST + timedelta(days=365)
        assert index + timedelta(days=395) <= LAST
        assert not example.outcome


def test_landmark_examples_after_a_diagnosis_there_are_none():
    baseline, _ = cut(patient())
    second = baseline[1].timeline.as_of
    examples, left_out = cut(patient(second + timedelta(days=200)))
    assert [e.outcome for e in examples] == [False, True]
    assert left_out["already diagnosed"] == len(baseline) - 2


def test_landmark_examples_with_diagnosis_in_the_gap_leave_the_day_out():
    second = cut(patient())[0][1].timeline.as_of
    examples, left_out = cut(patient(second + timedelta(days=20)))
    assert left_out["diagnosed in the gap"] == 1
    assert second not in [e.timeline.as_of for e in examples]


def test_landmark_examples_with_late_entry_use_the_day_of_diagnosis():
    """Else the months in which everyone knew but the problem list would count as before."""
    baseline, _ = cut(patient())
    second = baseline[1].timeline.as_of
    made, entered = second - timedelta(days=10), second + timedelta(days=100)
    examples, left_out = cut(patient(made, entered))
    assert second not in [e.timeline.as_of for e in examples]
    assert left_out["diagnosed in the gap"] == 1


def test_landmark_examples_hold_nothing_known_after_the_index_day():
    second = cut(patient())[0][1].timeline.as_of
    for example in cut(patient(second + timedelta(days=200)))[0]:
        assert example.timeline.coded_heart_failure == ()
        assert all(e.known <= example.timeline.as_of for e in example.timeline.entries)


def test_landmark_examples_of_the_young_and_the_dead_are_left_out():
    assert cut(patient(birth_date=date(2000, 1, 1)))[1].keys() == {"age"}
    examples, left_out = cut(patient(died=date(2019, 1, 1), deceased=True))
    assert left_out["dead"] >= len(examples)


def test_landmark_examples_count_notes_as_outcome_where_the_recipe_does():
    second = cut(patient())[0][1].timeline.as_of
    notes = naming(second + timedelta(days=100), second + timedelta(days=130))
    either = RECIPE.replace(outcome="codes or notes")
    assert not any(e.outcome for e in cut(patient(), notes)[0])
    assert [e.outcome for e in cut(patient(), notes, either)[0]] == [False, True]


def test_followed_days_end_with_diagnosis_death_or_window():
    second = cut(patient())[0][1].timeline.as_of
    (_, ill), _ = cut(patient(second + timedelta(days=200)))
    assert (ill.followed, ill.outcome, ill.died) == (200, True, False)
    dead = cut(patient(died=second + timedelta(days=50), deceased=True))[0][1]
    assert (dead.followed, dead.outcome, dead.died) == (50, False, True)
    assert cut(patient())[0][0].followed == 395


def test_followed_days_of_a_lost_patient_end_with_the_last_contact():
    baseline = cut(patient())[0]
    middle = baseline[1].timeline.as_of
    seen = (date(2018, 1, 10), date(2019, 1, 10), middle + timedelta(days=100))
    lost, left_out = cut(patient(seen=seen, active=False))
    assert [(e.lost, e.followed) for e in lost[1:]] == [(True, 100)]
    assert left_out["lost before the index day"] == len(baseline) - len(lost)
    # A patient of whom the register says nothing may only be well, unless the recipe says so.
    quiet, _ = cut(patient(seen=seen))
    assert not any(e.lost for e in quiet)
    silent, _ = cut(patient(seen=seen), recipe=RECIPE.replace(lost_after_days=365))
    assert [e.lost for e in silent] == [e.lost for e in lost]


def test_diagnosed_or_dead_patient_is_not_lost():
    second = cut(patient())[0][1].timeline.as_of
    before = second - timedelta(days=365)
    ill = patient(second + timedelta(days=200), seen=(before, second), active=False)
    assert [(e.outcome, e.lost) for e in cut(ill)[0]][-1] == (True, False)
    dead = patient(
        seen=(before, second), active=False, died=second + timedelta(days=50), deceased=True
    )
    assert (cut(dead)[0][-1].died, cut(dead)[0][-1].lost) == (True, False)


def test_landmark_examples_without_records_in_the_look_back_are_left_out():
    examples, left_out = cut(patient(seen=(date(2018, 1, 10),)))
    assert left_out["nothing recorded in the look-back"] > 0
    assert all(e.timeline.as_of < date(2020, 1, 10) for e in examples)


@pytest.mark.parametrize(
    ("lost", "weight"), [("followed", 1.0), ("excluded", 1.0), ("weighted", 100 / 90)]
)
def test_censor_lost_patients_follows_the_recipe(lost, weight):
    line = build_timeline(patient(), (), load_lexicon(), LAST)
    censored = [Example(f"g{i}", line, False, followed=10, lost=True) for i in range(10)]
    rest = [Example(f"r{i}", line, i < 5, followed=395) for i in range(90)]
    left_out: Counter[str] = Counter()
    kept = censor([*censored, *rest], RECIPE.replace(lost=lost), left_out)
    assert [e.weight for e in kept] == pytest.approx([weight] * len(kept))
    assert len(kept) == (100 if lost == "followed" else 90)
    assert left_out["lost to follow-up"] == (0 if lost == "followed" else 10)


@given(
    st.lists(
        st.tuples(st.integers(1, 395), st.booleans(), st.integers(0, 2), st.floats(0.5, 9.0)),
        min_size=1,
        max_size=60,
    )
)
@hypothesis.example(rows=[(1, False, 0, 1.0), (1, True, 0, 1.0), (2, False, 0, 1.0)])
def test_apply_ipcw_keeps_the_weight_of_a_stratum_with_someone_followed(rows):
    line = build_timeline(patient(), (), load_lexicon(), LAST)
    examples = [
        Example(f"{group}", line, False, weight, days, lost=lost)
        for days, lost, group, weight in rows
    ]
    kept = apply_ipcw(examples, lambda e: e.lost, lambda e: e.patient_id)
    for group in {e.patient_id for e in examples}:
        before = [e for e in examples if e.patient_id == group]
        after = [e for e in kept if e.patient_id == group]
        last = max(before, key=lambda e: (e.followed, e.lost))
        total = sum(e.weight for e in after)
        if last.lost:
            assert total <= sum(e.weight for e in before) + 1e-6
        else:
            assert total == pytest.approx(sum(e.weight for e in before))


def test_censor_deaths_weights_those_who_lived_as_long():
    line = build_timeline(patient(), (), load_lexicon(), LAST)
    early = [Example(f"d{i}", line, False, followed=100, died=True) for i in range(10)]
    ill = [Example(f"i{i}", line, True, followed=50) for i in range(5)]
    late = [Example(f"l{i}", line, True, followed=300) for i in range(5)]
    well = [Example(f"w{i}", line, False, followed=395) for i in range(80)]
    kept = censor([*early, *ill, *late, *well], RECIPE.replace(deaths="censored"), Counter())
    weights = {e.patient_id[0]: e.weight for e in kept}
    assert set(weights) == {"i", "l", "w"}
    assert weights["i"] == 1.0  # diagnosed before anyone died
    assert weights["l"] == weights["w"] == pytest.approx(95 / 85)
    assert sum(e.weight for e in kept) == pytest.approx(100)


def test_sampling_weight_reads_every_case_and_a_share_of_the_others():
    assert sampling_weight(patient(date(2022, 1, 1)), FIRST, RECIPE) == 1.0
    weights = [sampling_weight(PatientRecord(f"p{i}"), FIRST, RECIPE) for i in range(2000)]
    assert set(weights) == {0.0, 4.0}
    assert sum(weights) == pytest.approx(2000, rel=0.1)


def test_part_of_a_patient_is_always_the_same():
    recipe = SplitRecipe(train=0.5, calibration=0.2, salt="salt")
    parts = Counter(part_of(f"p{i}", recipe) for i in range(4000))
    assert parts == Counter(part_of(f"p{i}", recipe) for i in range(4000))
    assert parts["train"] / 4000 == pytest.approx(0.5, abs=0.03)
    assert parts["test"] / 4000 == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name = ", "E120"),
        ("name = 'x'", "E121"),
    ],
)
def test_read_recipe_of_a_broken_file_raises(tmp_path, text, code):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=code):
        read_recipe(path, Recipe)


def test_read_recipe_of_the_shipped_file_succeeds():
    from clinical_nlp.artifacts import shipped_folder

    recipe = read_recipe(shipped_folder("hf-risk") / "recipe.toml", Recipe)
    assert recipe.name == "hf-risk"
    assert recipe.flat()["cohort.gap_days"] == 30
