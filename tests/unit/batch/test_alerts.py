"""What a run says of itself: dates not believed, an empty list, a jump of abstentions."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.batch.alerts import (
    EarlierRun,
    find_alerts,
    find_earlier_run,
    read_earlier_run,
)
from clinical_nlp.batch.run_record import RunOutcome
from clinical_nlp.batch.sinks.report.page import render
from clinical_nlp.batch.statistics import RunStatistics
from clinical_nlp.records import DayCounts, ModelReference, RunContext, SourceSummary
from clinical_nlp.risk.bands import load_bands

DAY = date(2024, 6, 28)
MODEL = ModelReference("m", "1", "models:/m/1", "0" * 64)


def outcome(seen: int = 1000, abstained: int = 200, worklist: int = 10) -> RunOutcome:
    context = RunContext(DAY, "1", "p", MODEL, 0.05)
    statistics = RunStatistics(context)
    statistics.patients.update(
        seen=seen, abstained=abstained, scored=seen - abstained, worklist=worklist
    )
    return RunOutcome(context, SourceSummary(), statistics)


def codes(run: RunOutcome, earlier: EarlierRun | None = None) -> list[str]:
    return [alert.code for alert in find_alerts(run, earlier)]


def test_usual_run_has_no_alert() -> None:
    assert codes(outcome()) == []
    assert codes(outcome(), EarlierRun("2024-06-27", 990, 190)) == []


def test_empty_worklist_is_doubtful() -> None:
    (alert,) = find_alerts(outcome(abstained=1000, worklist=0), None)
    assert alert.code == "E282" and alert.doubtful
    assert "1000" in alert.message and str(DAY) in alert.message


def test_empty_worklist_says_its_plain_cause() -> None:
    nobody, none_scored, below = outcome(0, 0, 0), outcome(50, 50, 0), outcome(50, 10, 0)
    none_scored.statistics.abstentions.update(no_notes=40, no_birth_date=10)
    (first,), (second,), (third,) = (find_alerts(o, None) for o in (nobody, none_scored, below))
    assert "no patient that could be used" in first.message
    assert "'no_notes' (40)" in second.message
    assert "no estimate reaches the threshold of 5.00%" in third.message


def test_suspicions_alone_do_not_hide_that_nobody_is_at_risk() -> None:
    run = outcome(seen=50, abstained=40, worklist=2)
    run.statistics.patients.update(suspected=2)
    (alert,) = find_alerts(run, None)
    assert alert.code == "E282" and "holds 2 written suspicions and nobody at risk" in alert.message
    assert "2 suspected in writing" in alert.message
    run.statistics.patients.update(worklist=1)
    assert codes(run) == []


def test_one_disbelieved_resource_is_singular() -> None:
    run = outcome()
    run.disbelieved = {date(2027, 1, 1): DayCounts(1, 1)}
    (alert,) = find_alerts(run, None)
    assert alert.message.startswith("1 resource begins on")


@pytest.mark.parametrize(
    ("earlier", "now", "jumps"),
    [
        ((1000, 200), (1000, 400), True),
        ((1000, 200), (1000, 230), False),  # less than five points
        ((1000, 400), (1000, 200), False),  # fewer is no alarm
        ((10, 1), (10, 3), False),  # chance
        ((10, 0), (10, 9), True),
        ((100_000, 2_000), (100_000, 8_000), True),
        ((0, 0), (1000, 900), False),  # nothing to compare with
        ((1000, 900), (0, 0), False),
    ],
)
def test_jump_of_abstentions(earlier: tuple[int, int], now: tuple[int, int], jumps: bool) -> None:
    alerts = find_alerts(outcome(*now), EarlierRun("2024-06-27", *earlier))
    assert [a.code for a in alerts] == (["E283"] if jumps else [])
    if jumps:
        assert "2024-06-27" in alerts[0].message


@given(seen=st.integers(1, 10_000), share=st.floats(0, 1))
def test_same_export_again_never_jumps(seen: int, share: float) -> None:
    abstained = round(seen * share)
    assert codes(outcome(seen, abstained), EarlierRun("2024-06-27", seen, abstained)) == []


def test_disbelieved_days_are_said_and_do_not_make_the_run_doubtful() -> None:
    run = outcome()
    run.disbelieved = {date(2026, 3, n): DayCounts(1, 2) for n in range(1, 6)}
    (alert,) = find_alerts(run, None)
    assert alert.code == "E281" and not alert.doubtful
    assert "10 resources" in alert.message and "2026-03-01" in alert.message
    assert "2026-03-05" not in alert.message


def test_report_tells_every_alert() -> None:
    run = outcome(abstained=900, worklist=0)
    run.disbelieved = {date(2026, 3, 1): DayCounts(1, 2)}
    run.alerts = find_alerts(run, EarlierRun("2024-06-27", 1000, 200))
    page = render(run, {}, load_bands())
    for text in (
        "E281",
        "01/03/2026",
        "E282",
        "no hay nadie en riesgo",
        "E283",
        "20,0 %",
        "90,0 %",
    ):
        assert text in page.replace("\u202f", " ").replace("\xa0", " "), text


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"patients": {"seen": "x"}}', "null"])
def test_unreadable_earlier_record_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    assert read_earlier_run(tmp_path / "run.json") is None
    assert read_earlier_run(tmp_path / "absent.json") is None


def test_earlier_record_is_read(tmp_path: Path) -> None:
    record = {"as_of": "2024-06-27", "patients": {"seen": 9, "abstained": 2}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert read_earlier_run(tmp_path / "run.json") == EarlierRun("2024-06-27", 9, 2)


def write_record(folder: Path, as_of: str, seen: int = 100) -> None:
    folder.mkdir()
    record = {"as_of": as_of, "patients": {"seen": seen, "abstained": 2}}
    (folder / "run.json").write_text(json.dumps(record))


def test_run_that_is_replaced_goes_before_those_beside_it(tmp_path: Path) -> None:
    write_record(tmp_path / "out", "2024-06-20")
    write_record(tmp_path / "other", "2024-06-27")
    assert find_earlier_run(tmp_path / "out", DAY) == EarlierRun("2024-06-20", 100, 2)


def test_folder_a_night_finds_the_night_before(tmp_path: Path) -> None:
    for day in ("2024-06-20", "2024-06-27", "2024-07-05"):
        write_record(tmp_path / day, day)
    (tmp_path / "notes.txt").write_text("x")
    assert find_earlier_run(tmp_path / "2024-06-28", DAY) == EarlierRun("2024-06-27", 100, 2)
    assert find_earlier_run(tmp_path / "absent" / "out", DAY) is None


def test_run_over_another_population_is_not_compared_with() -> None:
    assert codes(outcome(1000, 900), EarlierRun("2024-06-27", 40_000, 200)) == []
    assert codes(outcome(1000, 900), EarlierRun("2024-06-27", 1_900, 20)) == ["E283"]
